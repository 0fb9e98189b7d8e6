//! A client of package sources: some consecutive failures open the circuit of one host.

use super::*;
use resilient::{circuit_breaker, registry};

const QUICK: CircuitBreakerConfig = CircuitBreakerConfig::new().failures(3).open_for(ms(50));

#[tokio::test(start_paused = true)]
async fn closed_it_lets_calls_through() {
    let breaker = CircuitBreaker::new(QUICK);
    assert_eq!(breaker.state(), CircuitState::Closed);
    succeed(&breaker, 2);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn closed_to_open_after_so_many_failures_in_a_row() {
    let breaker = CircuitBreaker::new(QUICK);
    fail(&breaker, 2);
    succeed(&breaker, 1);
    for _ in 0..3 {
        assert_eq!(breaker.state(), CircuitState::Closed);
        fail(&breaker, 1);
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    assert!(is_refused(&breaker));
}

#[tokio::test(start_paused = true)]
async fn open_to_half_open_after_the_timeout() {
    let breaker = CircuitBreaker::new(QUICK);
    fail(&breaker, 3);
    advance(ms(49)).await;
    assert!(is_refused(&breaker));
    advance(ms(1)).await;
    let _probe = breaker.try_acquire().unwrap();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn half_open_to_closed_on_success() {
    let breaker = CircuitBreaker::new(QUICK);
    fail(&breaker, 3);
    advance(ms(60)).await;
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    probe.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
    // It takes as many failures as before.
    fail(&breaker, 2);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn half_open_to_open_on_failure() {
    let breaker = CircuitBreaker::new(QUICK);
    fail(&breaker, 3);
    advance(ms(60)).await;
    fail(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(breaker.stats().retry_after, Some(ms(50)));
    assert!(is_refused(&breaker));
}

#[tokio::test(start_paused = true)]
async fn half_open_admits_a_limited_number_of_requests() {
    let breaker = CircuitBreaker::new(QUICK.failures(2).probes(2));
    fail(&breaker, 2);
    advance(ms(60)).await;
    let probes = [breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap()];
    assert!(is_refused(&breaker));
    assert_eq!(breaker.stats().probes_in_flight, 2);
    drop(probes);
    assert!(!is_refused(&breaker));
}

#[tokio::test(start_paused = true)]
async fn reset_closes_it() {
    let breaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(5).open_for(60 * SECOND));
    fail(&breaker, 5);
    assert_eq!(breaker.state(), CircuitState::Open);
    breaker.reset();
    assert_eq!(breaker.state(), CircuitState::Closed);
    fail(&breaker, 4);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn stats_tell_its_state_and_failures_and_when_it_changed() {
    let breaker = CircuitBreaker::new(QUICK);
    fail(&breaker, 2);
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.failures, stats.total_failures), (CircuitState::Closed, 2, 2));
    assert_eq!(stats.last_change, None);
    fail(&breaker, 1);
    advance(ms(20)).await;
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.opened, stats.in_state_for), (CircuitState::Open, 1, Some(ms(20))));
    assert_eq!((stats.last_change.unwrap().ago, stats.retry_after), (ms(20), Some(ms(30))));
}

type Hosts = Keyed<str, CircuitBreaker>;

fn hosts(failures: u32) -> Hosts {
    Keyed::new(CircuitBreakerConfig::new().failures(failures).open_for(ms(100)).checked()).displayed()
}

/// Gives the status, and records what a server says of itself as its failure.
async fn get(hosts: &Hosts, host: &str, status: Result<u16, Fault>) -> Result<u16, Fault> {
    let breaker = hosts.get(host);
    let permit = breaker.try_acquire()?;
    tokio::task::yield_now().await;
    match &status {
        Ok(500..) | Err(_) => permit.failure(),
        Ok(_) => permit.success(),
    }
    status
}

#[tokio::test(start_paused = true)]
async fn a_successful_request_leaves_the_host_closed() {
    let hosts = hosts(5);
    assert_eq!(get(&hosts, "api.example", Ok(200)).await, Ok(200));
    assert_eq!(hosts.state("api.example"), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn failures_open_the_circuit_of_the_host() {
    let hosts = hosts(3);
    for _ in 0..3 {
        assert_eq!(get(&hosts, "failing.example", Err(Fault::Down(1))).await, Err(Fault::Down(1)));
    }
    assert_eq!(hosts.state("failing.example"), CircuitState::Open);
    let refused = get(&hosts, "failing.example", Ok(200)).await.unwrap_err();
    assert!(refused.ours().is_circuit_open());
}

#[tokio::test(start_paused = true)]
async fn answers_from_500_on_open_the_circuit_and_those_below_do_not() {
    let hosts = hosts(2);
    for status in [404, 500, 429, 503] {
        assert_eq!(get(&hosts, "error.example", Ok(status)).await, Ok(status));
    }
    assert_eq!(hosts.state("error.example"), CircuitState::Closed);
    assert_eq!(get(&hosts, "error.example", Ok(502)).await, Ok(502));
    assert_eq!(hosts.state("error.example"), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn hosts_are_isolated_from_each_other() {
    let hosts = hosts(2);
    for _ in 0..2 {
        get(&hosts, "failing.example", Ok(500)).await.unwrap();
    }
    assert_eq!(hosts.state("failing.example"), CircuitState::Open);
    assert_eq!(hosts.state("api.example"), CircuitState::Closed);
    assert_eq!(get(&hosts, "api.example", Ok(200)).await, Ok(200));
}

#[tokio::test(start_paused = true)]
async fn one_host_or_all_can_be_reset() {
    let hosts = hosts(1);
    for host in ["a.example", "b.example", "c.example"] {
        get(&hosts, host, Ok(500)).await.unwrap();
        assert_eq!(hosts.state(host), CircuitState::Open);
    }
    assert!(hosts.reset("a.example"));
    assert!(!hosts.reset("unknown.example"));
    assert_eq!(get(&hosts, "a.example", Ok(200)).await, Ok(200));
    assert_eq!(hosts.state("b.example"), CircuitState::Open);
    hosts.reset_all();
    for host in ["b.example", "c.example"] {
        assert_eq!(hosts.state(host), CircuitState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn statistics_of_a_host_and_of_all() {
    let hosts = hosts(5);
    let names = ["api.example", "pkgs.example", "source.example"];
    for host in names {
        get(&hosts, host, Ok(if host == "pkgs.example" { 500 } else { 200 })).await.unwrap();
    }
    assert_eq!(hosts.stats_of("pkgs.example").unwrap().failures, 1);
    assert_eq!(hosts.stats_of("unknown.example"), None);
    let mut all: Vec<_> = hosts.all().into_iter().map(|(host, stats)| (host.to_string(), stats.failures)).collect();
    all.sort();
    assert_eq!(all, [("api.example", 0), ("pkgs.example", 1), ("source.example", 0)].map(|(h, f)| (h.to_owned(), f)));
}

/// The same with an attribute.
#[tokio::test(start_paused = true)]
async fn an_annotated_client_has_a_breaker_for_each_host() {
    #[derive(Clone, Copy)]
    struct Response(u16);

    #[circuit_breaker(
        failures = 5, open_for = 60s, key = host,
        failure_if = |answer: &Result<Response, Fault>| answer.as_ref().map_or(true, |response| response.0 >= 500),
    )]
    async fn fetch(host: &str, response: Response) -> Result<Response, Fault> {
        tokio::task::yield_now().await;
        let _ = host;
        Ok(response)
    }

    for status in [404, 404, 404, 404, 404, 503, 503, 503, 503, 503] {
        fetch("feed", Response(status)).await.unwrap();
    }
    let hosts = registry().keyed_circuit_breaker("fetch").unwrap();
    assert_eq!([hosts.state("feed"), hosts.state("mirror")], [Ok(CircuitState::Open), Ok(CircuitState::Closed)]);
    assert!(fetch("feed", Response(200)).await.is_err());
    fetch("mirror", Response(200)).await.unwrap();
    advance(60 * SECOND).await;
    fetch("feed", Response(200)).await.unwrap();
    assert_eq!(hosts.state("feed"), Ok(CircuitState::Closed));
    // Reset, and statistics of one and of all.
    for _ in 0..5 {
        fetch("feed", Response(500)).await.unwrap();
    }
    assert_eq!(hosts.stats_of("feed").unwrap().unwrap().opened, 2);
    assert_eq!(hosts.reset("feed"), Ok(true));
    assert_eq!((hosts.state("feed"), hosts.all().len()), (Ok(CircuitState::Closed), 2));
}
