//! The renamed crate's expansions run.

use resilient_hygiene::{Client, asked, boxes, mapped, nameless, one_lines, optional, shadowed, timeout, unit};

#[tokio::test(start_paused = true)]
async fn calls() {
    assert_eq!(Client::new(false).everything("text").await.unwrap(), "text");
    assert_eq!(Client::new(true).everything("text").await.unwrap(), "");
    assert!(!Client::new(false).change(true).await.unwrap());
    assert_eq!(Client::new(false).keyed("text").await.unwrap(), 4);
    assert_eq!(Client::new(false).placed("text").await.unwrap(), 4);
    assert_eq!(asked().await.unwrap(), 1);
    unit().await;
    assert_eq!(one_lines().await.unwrap(), 14);
    assert_eq!(nameless(&1).await.unwrap().to_string(), "1");
    assert_eq!(optional(None).await, None);
    mapped(Box::new(1)).await.unwrap();
    assert_eq!(boxes().await.unwrap(), Some(Box::new(0)));
    assert_eq!(shadowed(1, 2).await.unwrap(), 3);
    assert_eq!(timeout::after().await.unwrap(), 1);
}
