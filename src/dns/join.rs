//! Running futures without a runtime.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Runs a future to its end on this thread, which sleeps while the future waits.
///
/// ```
/// assert_eq!(mailproof::dns::block_on(async { 1 + 1 }), 2);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    // Most look-ups of those who block are ready at once, and then no waker is needed. One that is
    // not keeps the waker of its last poll only.
    let mut context = Context::from_waker(Waker::noop());
    if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
        return output;
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives all futures at once; the outputs are in the order of the futures.
pub(crate) fn join_all<'a, T: 'a>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'a>,
) -> JoinAll<'a, T> {
    JoinAll(
        futures
            .into_iter()
            .map(|future| Slot::Running(Box::pin(future)))
            .collect(),
    )
}

/// The future that [`join_all`] makes.
pub(crate) struct JoinAll<'a, T>(Vec<Slot<'a, T>>);

enum Slot<'a, T> {
    Running(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
    Done(Option<T>),
}

impl<T> Unpin for JoinAll<'_, T> {}

impl<T> Future for JoinAll<'_, T> {
    type Output = Vec<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<T>> {
        let slots = &mut self.get_mut().0;
        let mut waiting = false;
        for slot in slots.iter_mut() {
            if let Slot::Running(future) = slot {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *slot = Slot::Done(Some(output)),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting {
            return Poll::Pending;
        }
        let outputs = slots.iter_mut().filter_map(|slot| match slot {
            Slot::Done(output) => output.take(),
            Slot::Running(_) => None,
        });
        Poll::Ready(outputs.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{poll_fn, ready};
    use std::time::Duration;

    #[test]
    fn blocks_until_woken_from_elsewhere() {
        let mut woken = false;
        let output = block_on(poll_fn(|context| {
            if std::mem::replace(&mut woken, true) {
                return Poll::Ready(7);
            }
            let waker = context.waker().clone();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(5));
                waker.wake();
            });
            Poll::Pending
        }));
        assert_eq!(output, 7);
    }

    #[test]
    fn joins_in_order() {
        assert_eq!(block_on(join_all((0..3).map(ready))), [0, 1, 2]);
        assert_eq!(
            block_on(join_all(Vec::<std::future::Ready<u8>>::new())),
            Vec::<u8>::new()
        );
    }
}
