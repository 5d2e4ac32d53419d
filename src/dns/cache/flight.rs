//! One look-up for all who ask the same.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::key::Key;
use super::lock;
use super::shard::{Kept, Shard};
use crate::dns::Outcome;
use crate::dns::record::{Record, Told};

/// A look-up under way. Those who wait for it are its passengers; one of them asks the resolver.
#[derive(Default)]
pub(super) struct Flight(Mutex<State>);

#[derive(Default)]
struct State {
    told: Option<Told>,
    /// Whether one of the passengers asks the resolver.
    led: bool,
    passengers: usize,
    /// One place for each passenger that waits.
    wakers: Vec<Option<Waker>>,
}

/// One who asks. Locks are taken in the order shard, flight.
pub(super) struct Passenger<'a> {
    shard: &'a Mutex<Shard>,
    key: Key,
    flight: Arc<Flight>,
    leads: bool,
    place: Option<usize>,
}

/// What a passenger has to do.
pub(super) enum Role {
    /// Ask the resolver, and [`land`](Passenger::land).
    Leader,
    /// Nothing: here is the result.
    Follower(Told),
}

impl<'a> Passenger<'a> {
    /// Joins the look-up of the key, or gets the answer if there is one by now.
    pub(super) fn board<T: Record>(
        shard: &'a Mutex<Shard>,
        key: Key,
        now: Duration,
    ) -> Result<Outcome<T>, Self> {
        let mut guard = lock(shard);
        if let Some(outcome) = guard.kept(&key, now) {
            return Ok(outcome);
        }
        let flight = guard.flight(&key);
        lock(&flight.0).passengers += 1;
        drop(guard);
        Err(Self {
            shard,
            key,
            flight,
            leads: false,
            place: None,
        })
    }

    /// Waits until there is a result, or nobody who asks for it.
    pub(super) async fn role(&mut self) -> Role {
        poll_fn(|context| self.poll_role(context)).await
    }

    fn poll_role(&mut self, context: &Context<'_>) -> Poll<Role> {
        let mut state = lock(&self.flight.0);
        if let Some(told) = &state.told {
            return Poll::Ready(Role::Follower(told.clone()));
        }
        if !state.led {
            state.led = true;
            self.leads = true;
            return Poll::Ready(Role::Leader);
        }
        let place = *self.place.get_or_insert_with(|| {
            state.wakers.push(None);
            state.wakers.len() - 1
        });
        let waker = context.waker().clone();
        let old = state
            .wakers
            .get_mut(place)
            .and_then(|old| old.replace(waker));
        // A waker may own a task, and the task a passenger, whose end takes the locks.
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// Gives the result to all passengers, and keeps it if it is to be kept.
    pub(super) fn land(&mut self, told: Told, kept: Option<Kept>, now: Duration) {
        let mut shard = lock(self.shard);
        if let Some(kept) = kept {
            shard.keep(self.key.clone(), kept, now);
        }
        shard.end_flight(&self.key);
        let mut state = lock(&self.flight.0);
        state.told = Some(told);
        let wakers = std::mem::take(&mut state.wakers);
        drop((state, shard));
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Drop for Passenger<'_> {
    fn drop(&mut self) {
        let mut shard = lock(self.shard);
        let mut state = lock(&self.flight.0);
        state.passengers -= 1;
        if state.told.is_some() {
            return;
        }
        if state.passengers == 0 {
            shard.end_flight(&self.key);
        }
        let place = self.place.and_then(|place| state.wakers.get_mut(place));
        let own = place.and_then(Option::take);
        let mut wakers = Vec::new();
        if self.leads {
            // All are woken, since any of them may be dropped before it comes to ask. The first
            // takes over, and the others wait again in their places.
            state.led = false;
            wakers.extend(state.wakers.iter_mut().filter_map(Option::take));
        }
        drop((state, shard));
        drop(own);
        wakers.into_iter().for_each(Waker::wake);
    }
}
