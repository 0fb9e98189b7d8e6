//! Every argument of `#[circuit_breaker]` that is a number or a word, and keys.

use resilient::{
    CircuitBreaker, CircuitBreakerConfig, CircuitState, Keyed, Mode, Ratio, circuit_breaker, registry, resilient, retry,
};
use std::{
    fmt::Debug,
    hash::Hash,
    sync::Arc,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{advance, sleep};

type Out = Result<u32, resilient::Error>;

const TWO: Duration = Duration::from_secs(2);
const MOST: u32 = 100;

async fn well() -> Result<(), std::io::Error> {
    Ok(())
}

#[resilient(name = "all arguments")]
#[circuit_breaker(
    failure_rate = 40%, window = 10s, min_calls = 2, slow_call = TWO, slow_rate = 80%, open_for = 1s..=8s, probes = 3,
    successes = 2, probe_timeout = 5s, ramp, adaptive, shed = 2.5, health_check = well, health_every = 3s, mode = shadow,
)]
async fn all(fails: bool) -> Out {
    sleep(Duration::from_millis(1)).await;
    if fails { Err(timed_out().await) } else { Ok(1) }
}

#[tokio::test(start_paused = true)]
async fn every_argument_reaches_the_configuration() {
    all(false).await.unwrap();
    let second = Duration::from_secs(1);
    let config = registry().circuit_breaker("all arguments").unwrap().config();
    let text = format!("{config:?}");
    let expected = CircuitBreakerConfig::new()
        .failure_rate(Ratio::percent(40))
        .window_time(10 * second)
        .min_calls(2)
        .slow_call(2 * second)
        .slow_rate(Ratio::percent(80))
        .open_for_range(second..=8 * second)
        .probes(3)
        .successes(2)
        .probe_timeout(5 * second)
        .ramp()
        .adaptive()
        .shed(2.5)
        .health_every(3 * second)
        .mode(Mode::Shadow);
    let expected = format!("{expected:?}").replace("health_check: None", "health_check: Some(HealthCheck)");
    assert_eq!(text, expected);
}

#[circuit_breaker(failures = 1, open_for = 9s, health_check = well, health_every = 1s)]
async fn checked() -> Out {
    tokio::task::yield_now().await;
    if CHECKED.fetch_add(1, Relaxed) == 0 { Err(timed_out().await) } else { Ok(1) }
}

static CHECKED: AtomicU32 = AtomicU32::new(0);

async fn timed_out() -> resilient::Error {
    #[resilient::timeout(1ms)]
    async fn slow() -> Out {
        sleep(Duration::from_secs(1)).await;
        Ok(1)
    }
    slow().await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_health_check_closes_without_a_call_at_risk() {
    checked().await.unwrap_err();
    assert!(checked().await.unwrap_err().is_circuit_open());
    sleep(Duration::from_millis(1100)).await;
    assert_eq!(checked().await, Ok(1));
    assert_eq!(CHECKED.load(Relaxed), 2);
}

struct Client {
    host: String,
    port: u16,
    hosts: Arc<Keyed<String, CircuitBreaker>>,
}

impl Client {
    #[circuit_breaker(failures = 1, key = self.host, max_keys = MOST, idle = 5min)]
    async fn by_host(&mut self, fails: bool) -> Out {
        tokio::task::yield_now().await;
        if fails { Err(timed_out().await) } else { Ok(self.port.into()) }
    }

    #[circuit_breaker(failures = 1, key = (&self.host, self.port), key_label = format!("{}:{}", self.host, self.port))]
    async fn by_host_and_port(&self, fails: bool) -> Out {
        tokio::task::yield_now().await;
        if fails { Err(timed_out().await) } else { Ok(self.port.into()) }
    }

    #[circuit_breaker(policy = self.hosts, key = self.host)]
    async fn of_the_client(&mut self, fails: bool) -> Out {
        self.port += 1;
        if fails { Err(timed_out().await) } else { Ok(self.port.into()) }
    }

    #[circuit_breaker(policy = HOSTS, key = self.host, name = "hosts")]
    async fn elsewhere(self, fails: bool) -> Out {
        tokio::task::yield_now().await;
        if fails { Err(timed_out().await) } else { Ok(self.port.into()) }
    }
}

static HOSTS: Keyed<str, CircuitBreaker> = Keyed::new(CircuitBreakerConfig::new().failures(1).checked()).displayed();

fn client(host: &str) -> Client {
    let hosts = Keyed::new(CircuitBreakerConfig::new().failures(1).checked());
    Client { host: host.to_owned(), port: 80, hosts: Arc::new(hosts) }
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_breaker_of_its_own() {
    client("a").by_host(true).await.unwrap_err();
    assert!(client("a").by_host(false).await.unwrap_err().is_circuit_open());
    assert_eq!(client("b").by_host(false).await, Ok(80));
    let hosts = registry().keyed_circuit_breaker("by_host").unwrap();
    assert_eq!((hosts.state("a"), hosts.state("c")), (Ok(CircuitState::Open), Ok(CircuitState::Closed)));
    let mut labels: Vec<_> = hosts.all().into_iter().map(|(label, stats)| (label.to_string(), stats.state)).collect();
    labels.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(labels, [("a".to_owned(), CircuitState::Open), ("b".to_owned(), CircuitState::Closed)]);
    assert_eq!(hosts.reset("a"), Ok(true));
    assert_eq!(client("a").by_host(false).await, Ok(80));
}

#[tokio::test(start_paused = true)]
async fn a_key_may_be_of_several_parts_and_be_called_something_else() {
    client("a").by_host_and_port(true).await.unwrap_err();
    let breakers = registry().keyed_circuit_breaker("by_host_and_port").unwrap();
    assert_eq!(breakers.all()[0].0.as_ref(), "a:80");
    assert_eq!(breakers.state(&("a", 80_u16)), Ok(CircuitState::Open));
    assert_eq!(breakers.state(&(String::from("a"), 80_u16)), Ok(CircuitState::Open));
}

#[circuit_breaker(failures = 1, key = shard % 2)]
async fn by_shard(shard: u32, fails: bool) -> Out {
    tokio::task::yield_now().await;
    if fails { Err(timed_out().await) } else { Ok(shard) }
}

#[tokio::test(start_paused = true)]
async fn a_key_may_be_computed() {
    by_shard(4, true).await.unwrap_err();
    assert!(by_shard(6, false).await.unwrap_err().is_circuit_open());
    assert_eq!(by_shard(7, false).await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn keyed_breakers_may_live_elsewhere() {
    client("a").elsewhere(true).await.unwrap_err();
    let error = client("a").elsewhere(false).await.unwrap_err();
    assert_eq!((error.policy(), HOSTS.state("a")), ("hosts", CircuitState::Open));
    assert_eq!(HOSTS.all()[0].0.as_ref(), "a");
}

static ASKED: AtomicU32 = AtomicU32::new(0);

async fn is_up(host: String) -> Result<(), String> {
    ASKED.fetch_add(1, Relaxed);
    if host == "up" { Ok(()) } else { Err(host) }
}

#[circuit_breaker(failures = 1, open_for = 1h, key = host, health_check = is_up, health_every = 1s)]
async fn asked(host: &str, fails: bool) -> Out {
    tokio::task::yield_now().await;
    if fails { Err(timed_out().await) } else { Ok(host.len() as u32) }
}

#[tokio::test(start_paused = true)]
async fn a_health_check_is_given_the_key() {
    for host in ["up", "down"] {
        asked(host, true).await.unwrap_err();
    }
    advance(Duration::from_millis(1)).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(asked("up", false).await, Ok(2));
    assert!(asked("down", false).await.unwrap_err().is_circuit_open());
    assert!(ASKED.load(Relaxed) >= 2);
}

async fn are_up(key: ((String, u16), u8)) -> Result<(), String> {
    let ((host, port), shard) = key;
    if (host.as_str(), port, shard) == ("up", 80, 3) { Ok(()) } else { Err(host) }
}

#[circuit_breaker(failures = 1, open_for = 1h, key = ((host, *port), shard), key_label = host, health_check = are_up, health_every = 1s)]
async fn asked_of_parts(host: &str, port: &u16, shard: u8, fails: bool) -> Out {
    tokio::task::yield_now().await;
    if fails { Err(timed_out().await) } else { Ok(u32::from(*port) + u32::from(shard) + host.len() as u32) }
}

#[tokio::test(start_paused = true)]
async fn a_health_check_is_given_each_part_of_a_key_that_borrows_in_parts() {
    for host in ["up", "down"] {
        asked_of_parts(host, &80, 3, true).await.unwrap_err();
    }
    advance(Duration::from_millis(1)).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(asked_of_parts("up", &80, 3, false).await, Ok(85));
    assert!(asked_of_parts("down", &80, 3, false).await.unwrap_err().is_circuit_open());
}

const LONG: Duration = Duration::from_secs(60);
const WATCHING: Mode = Mode::Shadow;
const TWICE: f64 = 2.0;

#[circuit_breaker(shed = TWICE, open_for = TWO..=LONG, mode = WATCHING, health_check = self::well)]
#[circuit_breaker(open_for = 1s..=LONG, shed = 3, mode = off)]
#[circuit_breaker(slow_call = TWO, slow_rate = Ratio::percent(80), mode = Mode::On)]
async fn constants() -> Out {
    tokio::task::yield_now().await;
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn constants_stand_where_literals_do() {
    constants().await.unwrap();
    let configs = registry().site("constants").unwrap().policies().iter().map(|policy| match policy {
        resilient::SitePolicy::CircuitBreaker(breaker) => breaker.config().name(""),
        _ => panic!("{policy:?}"),
    });
    let new = CircuitBreakerConfig::new;
    let second = Duration::from_secs(1);
    assert_eq!(
        configs.skip(1).collect::<Vec<_>>(),
        [
            new().open_for_range(second..=LONG).shed(3.0).mode(Mode::Off).name(""),
            new().slow_call(TWO).slow_rate(Ratio::percent(80)).name(""),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn keyed_breakers_may_be_a_field() {
    let mut client = client("a");
    client.of_the_client(true).await.unwrap_err();
    assert!(client.of_the_client(false).await.unwrap_err().is_circuit_open());
    assert_eq!(client.hosts.state(&client.host), CircuitState::Open);
    client.host = "b".to_owned();
    assert_eq!(client.of_the_client(false).await, Ok(82));
}

fn asked_for<'a>(asked: &AtomicU32, host: &'a str) -> &'a str {
    asked.fetch_add(1, Relaxed);
    host
}

#[retry(attempts = 3, backoff = 1ms)]
#[circuit_breaker(failures = 9, key = asked_for(&KEYS, host), key_label = asked_for(&LABELS, host))]
async fn asked_once(host: &str) -> Out {
    Err(timed_out().await).or(if host.is_empty() { Ok(0) } else { Err(timed_out().await) })
}

static KEYS: AtomicU32 = AtomicU32::new(0);
static LABELS: AtomicU32 = AtomicU32::new(0);

#[tokio::test(start_paused = true)]
async fn a_key_is_evaluated_once_per_call_and_its_label_once_per_instance() {
    for host in ["a", "b", "a"] {
        asked_once(host).await.unwrap_err();
    }
    assert_eq!((KEYS.load(Relaxed), LABELS.load(Relaxed)), (3, 2));
}

static SHOPS: Keyed<str, CircuitBreaker> = Keyed::new(CircuitBreakerConfig::new().failures(1).checked());

#[circuit_breaker(SHOPS, key = host)]
#[circuit_breaker(failures = 1, key = it)]
async fn generic<T: Hash + Debug>(host: &str, it: T, fails: bool) -> Out {
    tokio::task::yield_now().await;
    if fails { Err(timed_out().await) } else { Ok(format!("{host}{it:?}").len() as u32) }
}

#[tokio::test(start_paused = true)]
async fn a_key_may_be_of_any_type_and_stand_twice() {
    generic("a", [1, 2], true).await.unwrap_err();
    assert!(generic("b", [1, 2], false).await.unwrap_err().is_circuit_open());
    assert_eq!(generic("b", "x", false).await, Ok(4));
    assert!(generic("a", 'x', false).await.unwrap_err().is_circuit_open());
    let breakers = registry().keyed_circuit_breaker("shapes::circuit_breaker::generic").unwrap();
    let labels = breakers.all().into_iter().map(|(label, _)| label).collect::<Vec<_>>();
    assert!(labels.iter().all(|label| label.len() == 32), "no `Display` is known of a `T`: {labels:?}");
}
