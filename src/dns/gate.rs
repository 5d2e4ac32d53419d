//! Look-ups that wait until a test lets them pass.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Holds look-ups of a name back until it is opened, see [`Zone::hold`](super::Zone::hold).
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<Mutex<GateState>>);

#[derive(Debug, Default)]
struct GateState {
    open: bool,
    asked: usize,
    /// One for each look-up that waits.
    wakers: Vec<Option<Waker>>,
}

impl Gate {
    /// Lets all look-ups pass, those waiting and those to come.
    pub(super) fn open(&self) {
        let wakers = {
            let mut state = self.state();
            state.open = true;
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// How many look-ups have arrived at the gate so far.
    pub(super) fn asked(&self) -> usize {
        self.state().asked
    }

    pub(super) async fn passed(&self) {
        let (mut counted, mut place) = (false, None);
        poll_fn(|context| {
            let mut state = self.state();
            if !std::mem::replace(&mut counted, true) {
                state.asked += 1;
            }
            if state.open {
                return Poll::Ready(());
            }
            let place = *place.get_or_insert_with(|| {
                state.wakers.push(None);
                state.wakers.len() - 1
            });
            // However often it is polled, a look-up keeps one waker.
            if let Some(waker) = state.wakers.get_mut(place) {
                *waker = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    fn state(&self) -> MutexGuard<'_, GateState> {
        // Nothing panics while the lock is held; if a waker does, the state is still sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Resolver, Zone, block_on};
    use std::pin::pin;
    use std::task::Context;

    #[test]
    fn gates_hold_back() {
        let mut zone = Zone::new();
        zone.add_txt("x.example", "x").unwrap();
        zone.hold("x.example").unwrap();
        let name = "x.example".parse().unwrap();
        assert_eq!(zone.held("x.example"), 0);
        let outcome = std::thread::scope(|scope| {
            let lookup = scope.spawn(|| block_on(zone.txt(&name)));
            while zone.held("x.example") == 0 {
                std::thread::yield_now();
            }
            zone.clone().release("x.example");
            lookup.join().unwrap()
        });
        assert_eq!(outcome.unwrap().as_slice().len(), 1);
        assert_eq!(block_on(zone.txt(&name)).unwrap().as_slice().len(), 1);
        assert_eq!((zone.held("x.example"), zone.held("y.example")), (2, 0));
    }

    #[test]
    fn a_lookup_keeps_one_waker() {
        let gate = Gate::default();
        let mut passed = pin!(gate.passed());
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..100 {
            assert!(passed.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!((gate.asked(), gate.state().wakers.len()), (1, 1));
    }
}
