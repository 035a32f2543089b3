//! A gate before the database: a test decides whose request goes on next.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{
    Call, Dynamodb,
    front::{Front, hold},
};

/// Every request waits here until it is let through. When the gate is dropped it stands open.
pub struct Gate {
    front: Arc<Front>,
    arrivals: mpsc::UnboundedReceiver<Held>,
}

/// A request that waits. If it is dropped, the request is never done and never answered.
pub struct Held {
    /// What it is.
    pub call: Call,
    passed: oneshot::Sender<()>,
}

impl Dynamodb {
    /// From now on every request waits until it is let through.
    pub fn gate(&self) -> Gate {
        let (gate, arrivals) = mpsc::unbounded_channel();
        *hold(&self.front.gate) = Some(gate);
        Gate { front: Arc::clone(&self.front), arrivals }
    }
}

impl Gate {
    /// The next request that arrives; nothing if another gate was put in this one's place.
    pub async fn next(&mut self) -> Option<Held> {
        self.arrivals.recv().await
    }
}

impl Held {
    pub(super) fn new(call: Call) -> (Self, oneshot::Receiver<()>) {
        let (passed, wait) = oneshot::channel();
        (Self { call, passed }, wait)
    }

    /// Lets the request through.
    pub fn pass(self) {
        // Whoever asked may have gone.
        let _ = self.passed.send(());
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        hold(&self.front.gate).take();
        while let Ok(held) = self.arrivals.try_recv() {
            held.pass();
        }
    }
}
