use resilient::{Error, fallback};

type Answer = Result<u32, Error>;

#[fallback]
async fn nothing() -> Answer {
    Ok(1)
}

#[fallback(Ok(0))]
async fn value() -> Answer {
    Ok(1)
}

#[fallback(0)]
async fn number() -> Answer {
    Ok(1)
}

#[fallback(spare())]
async fn called() -> Answer {
    Ok(1)
}

#[fallback(|a, b| Ok(0))]
async fn two_parameters() -> Answer {
    Ok(1)
}

#[fallback(with = spare)]
async fn named() -> Answer {
    Ok(1)
}

#[fallback("spare")]
async fn quoted() -> Answer {
    Ok(1)
}

#[fallback(self.cached)]
async fn by_field() -> Answer {
    Ok(1)
}

fn main() {}
