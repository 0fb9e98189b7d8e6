//! Every argument of `#[bulkhead]` on fns of many sorts.

use crate::support::{Fault, Flaky};
use resilient::{Bulkhead, BulkheadConfig, Keyed, Mode, Order, Priority, bulkhead, registry, resilient, retry};
use std::{sync::Arc, time::Duration};

const LOW: u32 = 3;
const ORDER: Order = Order::Lifo;
const MODE: Mode = Mode::On;
static HOSTS: Keyed<str, Bulkhead> = Keyed::new(BulkheadConfig::new(1).checked()).displayed();
static LINE: Bulkhead = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().order(Order::Priority));

#[derive(Clone, Copy)]
struct Request {
    urgent: bool,
}

impl Request {
    fn class(self) -> Priority {
        if self.urgent { Priority::Critical } else { Priority::Low }
    }
}

struct Client {
    host: String,
    hosts: Arc<Keyed<String, Bulkhead>>,
    places: Arc<Bulkhead>,
    flaky: Flaky,
}

impl Client {
    #[bulkhead(adaptive = 2..=50, wait = 1s, queue = 9, order = lifo, mode = shadow, name = "by self")]
    async fn everything(&self) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[bulkhead(adaptive = LOW..=50, wait, order = ORDER, mode = MODE)]
    async fn places_of_constants(&self) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[bulkhead(1, wait, order = priority, priority = request.class(), key = self.host, max_keys = 5, idle = 1min)]
    async fn places_by_host(&self, request: Request) -> Result<u32, Fault> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let _ = request.urgent;
        self.flaky.run()
    }

    #[retry]
    #[bulkhead(policy = self.hosts, key = self.host, priority = request.class(), name = "hosts of mine")]
    async fn elsewhere(&mut self, request: Request) -> Result<u32, Fault> {
        let _ = request;
        self.host.push('x');
        self.flaky.run()
    }

    #[bulkhead(policy = self.places, priority = if urgent { Priority::High } else { Priority::Low })]
    async fn by_value(self, urgent: bool) -> Result<u32, Fault> {
        let _ = urgent;
        self.flaky.run()
    }
}

fn client() -> Client {
    Client {
        host: "a".to_owned(),
        hosts: Arc::new(Keyed::new(BulkheadConfig::new(1))),
        places: Arc::new(Bulkhead::new(BulkheadConfig::new(1))),
        flaky: Flaky::failing(0),
    }
}

#[tokio::test(start_paused = true)]
async fn every_argument() {
    let mut client = client();
    assert_eq!(client.everything().await, Ok(1));
    assert_eq!(client.places_of_constants().await, Ok(2));
    let constants = registry().bulkhead("places_of_constants").unwrap().config();
    assert_eq!(constants, BulkheadConfig::adaptive(3..=50).wait_unbounded().order(Order::Lifo));
    assert_eq!(registry().bulkhead("by self").unwrap().stats().mode, Mode::Shadow);
    let (first, second) =
        tokio::join!(client.places_by_host(Request { urgent: false }), client.places_by_host(Request { urgent: true }));
    assert_eq!((first, second), (Ok(3), Ok(4)));
    assert_eq!(registry().keyed_bulkhead("places_by_host").unwrap().stats_of("a").unwrap().unwrap().admitted, 2);
    let hosts = Arc::clone(&client.hosts);
    assert_eq!(client.elsewhere(Request { urgent: true }).await, Ok(5));
    let held = hosts.get(&"ax".to_owned()).try_acquire_owned().unwrap();
    let refused = client.elsewhere(Request { urgent: true }).await.unwrap_err();
    assert!(matches!(refused, Fault::Refused(error) if error.policy() == "hosts of mine"));
    drop(held);
    assert_eq!(client.by_value(true).await, Ok(6));
}

#[bulkhead(policy = HOSTS, key = key.as_ref())]
async fn generic<K: AsRef<str>>(key: K, flaky: &Flaky) -> Result<u32, Fault> {
    let _ = key;
    flaky.run()
}

#[resilient(rejected = |_| 0)]
#[bulkhead(policy = LINE, priority = *class)]
async fn no_result(class: &Priority) -> u32 {
    u32::from(*class == Priority::High)
}

#[bulkhead(adaptive = 1..=9)]
async fn hidden(flaky: &Flaky) -> Result<impl Send + PartialEq<u32> + std::fmt::Debug, Fault> {
    flaky.run()
}

#[tokio::test(start_paused = true)]
async fn other_sorts_of_fns() {
    assert_eq!(generic("a", &Flaky::failing(0)).await, Ok(1));
    let held = HOSTS.get("b").try_acquire_owned().unwrap();
    assert!(generic("b".to_owned(), &Flaky::failing(0)).await.is_err());
    drop(held);
    assert_eq!(no_result(&Priority::High).await, 1);
    assert_eq!(hidden(&Flaky::failing(0)).await.unwrap(), 1);
}

fn is_send(_: impl Send) {}

#[test]
fn futures_are_send() {
    let client = client();
    is_send(client.everything());
    is_send(client.places_by_host(Request { urgent: true }));
    is_send(generic("a", &Flaky::failing(0)));
    is_send(no_result(&Priority::High));
    is_send(LINE.acquire_many(1));
    is_send(client.places.clone().acquire_owned());
}
