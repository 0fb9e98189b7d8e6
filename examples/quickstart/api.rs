//! The shop's API, called without any protection.

use std::net::SocketAddr;

pub struct Api {
    http: reqwest::Client,
    server: SocketAddr,
}

impl Api {
    pub fn new(server: SocketAddr) -> reqwest::Result<Self> {
        // A proxy named in the environment would not know our loopback port.
        Ok(Self { http: reqwest::Client::builder().no_proxy().build()?, server })
    }

    pub async fn get(&self, path: &str) -> reqwest::Result<Answer> {
        Self::send(self.http.get(self.url(path))).await
    }

    pub async fn post(&self, path: &str, body: String) -> reqwest::Result<Answer> {
        Self::send(self.http.post(self.url(path)).body(body)).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.server)
    }

    async fn send(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let text = request.send().await?.error_for_status()?.text().await?;
        Ok(Answer { text, live: true })
    }
}

pub struct Answer {
    pub text: String,
    /// Whether the server gave it just now, rather than a fallback.
    pub live: bool,
}

impl Answer {
    pub fn substitute(text: impl Into<String>) -> Self {
        Self { text: text.into(), live: false }
    }
}
