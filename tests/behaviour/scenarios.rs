//! Breakers as five systems ask for them.

use crate::support::{Act, Dependency, Fault, Heard, ms};
use resilient::{
    CircuitBreaker, CircuitBreakerConfig, CircuitState, Keyed, Permit, Ratio, circuit_breaker, fallback, registry,
    timeout,
};
use std::time::Duration;
use tokio::time::advance;

const MINUTE: Duration = Duration::from_secs(60);

/// A package client: five failures in a row open a host for a minute, server errors are failures and client errors are not.
#[tokio::test(start_paused = true)]
async fn a_package_client_with_a_breaker_for_each_host() {
    struct Client;

    #[derive(Clone, Copy)]
    struct Response(u16);

    impl Client {
        #[circuit_breaker(
            failures = 5, open_for = 60s, key = host,
            failure_if = |answer: &Result<Response, Fault>| answer.as_ref().map_or(true, |response| response.0 >= 500),
        )]
        async fn get(&self, host: &str, response: Response) -> Result<Response, Fault> {
            tokio::task::yield_now().await;
            let _ = host;
            Ok(response)
        }
    }

    let client = Client;
    for _ in 0..5 {
        client.get("feed", Response(404)).await.unwrap();
    }
    for _ in 0..5 {
        client.get("feed", Response(503)).await.unwrap();
    }
    let hosts = registry().keyed_circuit_breaker("get").unwrap();
    assert_eq!([hosts.state("feed"), hosts.state("mirror")], [CircuitState::Open, CircuitState::Closed]);
    assert!(client.get("feed", Response(200)).await.is_err());
    client.get("mirror", Response(200)).await.unwrap();
    advance(MINUTE).await;
    client.get("feed", Response(200)).await.unwrap();
    assert_eq!(hosts.state("feed"), CircuitState::Closed);
    // Reset, and statistics of one and of all.
    for _ in 0..5 {
        client.get("feed", Response(500)).await.unwrap();
    }
    assert_eq!(hosts.stats_of("feed").unwrap().opened, 2);
    hosts.reset("feed");
    assert_eq!((hosts.state("feed"), hosts.all().len()), (CircuitState::Closed, 2));
}

/// And no more than so many requests at once while half-open.
#[tokio::test(start_paused = true)]
async fn a_package_client_limits_requests_while_half_open() {
    let config = CircuitBreakerConfig::new().failures(2).open_for(MINUTE).probes(2).successes(2);
    let breaker = CircuitBreaker::new(config);
    (0..2).for_each(|_| breaker.try_acquire().unwrap().failure());
    advance(MINUTE).await;
    let probes = [breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap()];
    assert!(breaker.try_acquire().is_err());
    assert_eq!(breaker.stats().probes_in_flight, 2);
    probes.into_iter().for_each(Permit::success);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// Its breaker alone: state, recovery by one request, statistics and a reset.
#[tokio::test(start_paused = true)]
async fn a_package_clients_breaker_goes_through_its_states() {
    let breaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(3).open_for(ms(100)));
    let end = |succeeds: bool| {
        let permit = breaker.try_acquire().unwrap();
        if succeeds { permit.success() } else { permit.failure() }
    };
    [true, true, false, false].into_iter().for_each(end);
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.failures, stats.total_failures), (CircuitState::Closed, 2, 2));
    // A success in between begins the count anew.
    [true, false, false].into_iter().for_each(end);
    assert_eq!(breaker.state(), CircuitState::Closed);
    end(false);
    assert_eq!(breaker.state(), CircuitState::Open);
    assert!(breaker.try_acquire().is_err());
    advance(ms(100)).await;
    let test = breaker.try_acquire().unwrap();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    assert!(breaker.try_acquire().is_err());
    test.failure();
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(ms(100)).await;
    end(true);
    assert_eq!(breaker.state(), CircuitState::Closed);
    (0..3).for_each(|_| end(false));
    breaker.reset();
    assert_eq!(breaker.state(), CircuitState::Closed);
    end(true);
    assert_eq!((breaker.stats().failures, breaker.stats().opened), (0, 3));
}

/// A build service: endpoints have a breaker each, of one of five kinds.
#[tokio::test(start_paused = true)]
async fn a_build_service_opens_each_kind_of_endpoint_at_its_own_rate() {
    let kinds =
        [("critical", 30, 5), ("standard", 50, 10), ("network", 40, 10), ("throughput", 60, 15), ("relaxed", 70, 20)];
    for (kind, percent, min_calls) in kinds {
        let config = CircuitBreakerConfig::new().failure_rate(Ratio::percent(percent)).min_calls(min_calls);
        let endpoints: Keyed<str, CircuitBreaker> = Keyed::new(config).displayed();
        let endpoint = endpoints.get(kind);
        (0..100 - percent).for_each(|_| endpoint.try_acquire().unwrap().success());
        (0..percent - 1).for_each(|_| endpoint.try_acquire().unwrap().failure());
        assert_eq!(endpoint.state(), CircuitState::Closed, "{kind}");
        endpoint.try_acquire().unwrap().failure();
        assert_eq!(endpoint.state(), CircuitState::Open, "{kind}");
        // Fewer calls decide nothing.
        let other = endpoints.get("other");
        (1..min_calls).for_each(|_| other.try_acquire().unwrap().failure());
        assert_eq!(other.state(), CircuitState::Closed, "{kind}");
        other.try_acquire().unwrap().failure();
        assert_eq!(endpoints.state("other"), CircuitState::Open, "{kind}");
        endpoints.force_closed("other");
        assert!(endpoints.get("other").try_acquire().is_ok(), "{kind}");
    }
}

/// For its caches only errors of the network are failures; and a callback is told when a circuit opens.
#[tokio::test(start_paused = true)]
async fn a_build_service_counts_only_network_errors_of_its_caches_and_is_told() {
    #[circuit_breaker(failure_rate = 40%, min_calls = 10, when = Fault::is_down, name = "cache")]
    async fn get_artifact(cache: &Dependency) -> Result<u32, Fault> {
        cache.run().await
    }
    let heard = Heard::of("cache");
    let cache = Dependency::new([Act::Refuse]);
    for _ in 0..100 {
        assert_eq!(get_artifact(&cache).await, Err(Fault::BadRequest));
    }
    assert_eq!(heard.take(), Vec::<String>::new());
    cache.act([Act::Fail]);
    let mut failures = 0;
    while matches!(get_artifact(&cache).await, Err(Fault::Down(_))) {
        failures += 1;
    }
    assert_eq!(failures, 67);
    assert_eq!(heard.take()[0], "cache: opened for 30s: 67 failures in 167 calls");
    // What would succeed is rejected too.
    cache.act([Act::Succeed]);
    assert!(get_artifact(&cache).await.unwrap_err().ours().is_circuit_open());
}

/// A tool runner: one of its providers fails, and its error says so.
#[tokio::test(start_paused = true)]
async fn a_tool_runner_tells_an_open_circuit_from_a_tools_failure() {
    let config = CircuitBreakerConfig::new().failures(3).open_for(ms(5000)).successes(2);
    let breaker = CircuitBreaker::new(config.name("tools"));
    let broken = Dependency::new([Act::Fail]);
    for _ in 0..3 {
        assert!(matches!(breaker.call(broken.run()).await, Err(Fault::Down(_))));
    }
    let refused = breaker.call(broken.run()).await.unwrap_err();
    assert!(refused.ours().is_circuit_open());
    assert_eq!((refused.ours().policy(), broken.runs()), ("tools", 3));
    advance(ms(5000)).await;
    broken.act([Act::Succeed]);
    breaker.call(broken.run()).await.unwrap();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    breaker.call(broken.run()).await.unwrap();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// A service client: a success resets the count, and three good probes close.
#[tokio::test(start_paused = true)]
async fn a_service_client_counts_failures_in_a_row() {
    let config = CircuitBreakerConfig::new().failures(3).open_for(ms(1000)).probes(3).successes(3);
    let breaker = CircuitBreaker::new(config);
    for failed in [true, true, false, true, true] {
        let permit = breaker.try_acquire().unwrap();
        if failed { permit.failure() } else { permit.success() }
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
    breaker.try_acquire().unwrap().failure();
    advance(ms(1000)).await;
    (0..2).for_each(|_| breaker.try_acquire().unwrap().success());
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(ms(1000)).await;
    (0..3).for_each(|_| breaker.try_acquire().unwrap().success());
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// A layered cache: a layer that is slow is cut off by its timeout, then by its breaker.
#[tokio::test(start_paused = true)]
async fn a_cache_layer_that_hangs_is_passed_over() {
    #[circuit_breaker(failures = 2, open_for = 10s, successes = 2)]
    #[timeout(100ms)]
    async fn get_layer(layer: &Dependency) -> Result<u32, Fault> {
        layer.run().await
    }
    let layer = Dependency::new([Act::Hang]);
    for _ in 0..2 {
        assert!(get_layer(&layer).await.unwrap_err().ours().is_timeout());
    }
    assert!(get_layer(&layer).await.unwrap_err().ours().is_circuit_open());
    assert_eq!(layer.runs(), 2);
    layer.act([Act::Succeed]);
    advance(Duration::from_secs(10)).await;
    get_layer(&layer).await.unwrap();
    get_layer(&layer).await.unwrap();
    let breaker = registry().circuit_breaker("scenarios::get_layer").unwrap();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// And the layer below it answers meanwhile; the layer that is broken is not asked again.
#[tokio::test(start_paused = true)]
async fn a_layered_cache_goes_on_to_the_next_layer() {
    async fn second_layer(second: &Dependency) -> Result<u32, Fault> {
        second.run().await
    }
    #[fallback(|_| second_layer(second))]
    #[circuit_breaker(failures = 3, open_for = 5s, successes = 2)]
    async fn get_from_layers(first: &Dependency, second: &Dependency) -> Result<u32, Fault> {
        first.run().await
    }
    let (first, second) = (Dependency::new([Act::Fail]), Dependency::new([Act::Succeed]));
    for answered in 1..=8 {
        assert_eq!(get_from_layers(&first, &second).await, Ok(answered));
    }
    assert_eq!((first.runs(), second.runs()), (3, 8));
}

/// Who cancels a request says nothing about the layer.
#[tokio::test(start_paused = true)]
async fn a_cancelled_request_is_no_failure_of_the_layer() {
    let breaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(1));
    let layer = Dependency::new([Act::Hang]);
    for _ in 0..5 {
        tokio::time::timeout(ms(10), breaker.call(layer.run())).await.unwrap_err();
    }
    assert_eq!((breaker.state(), breaker.stats().cancelled), (CircuitState::Closed, 5));
}
