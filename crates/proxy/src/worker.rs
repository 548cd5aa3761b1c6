//! A worker: one thread, one runtime, its own sockets, pools and clock.

use crate::admission::Admitted;
use crate::buffer::{Buffers, Pool};
use crate::clock::Clock;
use crate::connection::{Accepted, serve};
use crate::datagrams::Port;
use crate::dataplane::Shared;
use crate::date::Date;
use crate::heads::{Answer, Incoming, Kit, LARGEST_OUT};
use crate::listeners::{Context, Socket};
use crate::mirroring::Mirrors;
use crate::warm::Warm;
use route::Snapshot;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use upstream::{Pools, View};

/// Commands and connections waiting to be taken by a worker.
pub(crate) const QUEUE: usize = 1024;
/// After a failed accept, for example because no descriptor is left.
const PAUSE: Duration = Duration::from_millis(50);
/// Ticks between two looks at idle upstream connections.
const SWEEP: u32 = 5;
/// A worker without connections looks less often.
const RARE: Duration = Duration::from_secs(1);

/// What one worker has to itself.
pub(crate) struct Worker {
    pub index: usize,
    pub shared: Arc<Shared>,
    pub clock: Rc<Clock>,
    pub pools: RefCell<Pools<Warm>>,
    pub buffers: Buffers,
    pub incoming: Pool<Box<Incoming>>,
    pub answers: Pool<Box<Answer>>,
    pub kits: Pool<Box<Kit>>,
    slims: Pool<Box<Kit>>,
    pub mirrors: Mirrors,
    /// Octets of bodies that are kept to be sent again.
    pub kept: Rc<Cell<usize>>,
    pub rng: RefCell<fastrand::Rng>,
    pub date: Date,
    /// For one datagram at a time.
    pub datagram: RefCell<Vec<u8>>,
    view: RefCell<View<Snapshot>>,
    draining: Cell<bool>,
}

/// What a worker is told.
pub(crate) enum Command {
    /// Accept connections from this socket.
    Listen(u64, std::net::TcpListener, Arc<Socket>),
    /// Take datagrams from this socket.
    Receive(u64, std::net::UdpSocket, Arc<Socket>),
    /// Serve what waits in the socket's queue, close it, and say so.
    Unlisten(u64, oneshot::Sender<()>),
    /// Serve a connection that another worker accepted.
    Serve(Box<HandedOver>),
    /// Accept no more, and say so; end connections after their request.
    Drain(oneshot::Sender<()>),
    /// End at once.
    Stop,
}

/// An accepted connection between two workers.
pub(crate) struct HandedOver {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    context: Arc<Context>,
    admitted: Admitted,
}

/// A task that accepts, and how it is ended.
struct Accepting {
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Worker {
    pub fn new(index: usize, shared: Arc<Shared>) -> Rc<Self> {
        let workers = shared.loads.len();
        Rc::new(Self {
            index,
            clock: Clock::new(shared.base),
            pools: RefCell::new(Pools::new(&shared.registry, workers, fastrand::Rng::new())),
            buffers: Buffers::new(),
            incoming: Pool::new(256, Incoming::new),
            answers: Pool::new(256, Answer::new),
            kits: Pool::new(256, Box::default),
            slims: Pool::new(1024, Box::default),
            mirrors: Mirrors::default(),
            kept: Rc::default(),
            rng: RefCell::new(fastrand::Rng::new()),
            date: Date::default(),
            datagram: RefCell::default(),
            view: RefCell::new(shared.snapshot.view()),
            draining: Cell::new(false),
            shared,
        })
    }

    /// The newest snapshot.
    #[inline]
    #[expect(clippy::redundant_allocation, reason = "readers count in their own thread, so that workers do not share a cache line")]
    pub fn snapshot(&self) -> Rc<Arc<Snapshot>> {
        self.view.borrow_mut().get().clone()
    }

    /// Leaves a request that waits for its answer only what it may still need, so that the next request finds warm memory.
    pub fn slim(&self, kit: &mut Box<Kit>) {
        let mut slim = self.slims.take();
        slim.slim = true;
        slim.tried.clear();
        std::mem::swap(&mut slim.out, &mut kit.out);
        self.kits.put(std::mem::replace(kit, slim));
    }

    /// Takes back what an exchange is done with.
    pub fn take_back(&self, mut kit: Box<Kit>) {
        kit.out.clear();
        kit.out.shrink_to(LARGEST_OUT);
        if kit.slim { self.slims.put(kit) } else { self.kits.put(kit) }
    }

    pub fn draining(&self) -> bool {
        self.draining.get()
    }

    pub fn connection_closed(&self) {
        if let Some(load) = self.shared.loads.get(self.index) {
            load.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Does as told until told to stop, or nobody is left who could say so.
    pub async fn run(self: Rc<Self>, mut commands: mpsc::Receiver<Command>) {
        let mut accepting: HashMap<u64, Accepting> = HashMap::new();
        tokio::task::spawn_local(self.clone().keep_time());
        while let Some(command) = commands.recv().await {
            match command {
                Command::Listen(id, socket, slot) => match TcpListener::from_std(socket) {
                    Ok(listener) => {
                        accepting.insert(id, self.accept_from(listener, slot));
                    }
                    Err(error) => tracing::error!(%error, "a socket cannot be listened on"),
                },
                Command::Receive(id, socket, slot) => match Port::new(self.clone(), socket, slot) {
                    Ok(port) => {
                        let (stop, stopped) = oneshot::channel();
                        accepting.insert(id, Accepting { stop, task: tokio::task::spawn_local(port.receive(stopped)) });
                    }
                    Err(error) => tracing::error!(%error, "a socket cannot take datagrams"),
                },
                Command::Unlisten(id, done) => {
                    if let Some(it) = accepting.remove(&id) {
                        it.end().await;
                    }
                    // Whoever asked may have given up.
                    let _ = done.send(());
                }
                Command::Serve(handed) => self.take_over(*handed),
                Command::Drain(done) => {
                    self.draining.set(true);
                    for (_, it) in accepting.drain() {
                        it.end().await;
                    }
                    self.clock.wake_idle();
                    self.pools.borrow_mut().clear();
                    let _ = done.send(());
                }
                Command::Stop => return,
            }
        }
    }

    fn accept_from(self: &Rc<Self>, listener: TcpListener, slot: Arc<Socket>) -> Accepting {
        let (stop, stopped) = oneshot::channel();
        Accepting { stop, task: tokio::task::spawn_local(self.clone().accept(listener, slot, stopped)) }
    }

    async fn accept(self: Rc<Self>, listener: TcpListener, slot: Arc<Socket>, mut stopped: oneshot::Receiver<()>) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = &mut stopped => break,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer, &slot),
                Err(error) if out_of_something(&error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
                // The client was faster.
                Err(_) => {}
            }
        }
        self.empty(listener, &slot);
    }

    /// Serves what waits in a socket's queue: closing the socket would reset it. The system is asked, not the runtime, which may not know yet
    /// of all that is there, and hands out only so much at a time.
    fn empty(self: &Rc<Self>, listener: TcpListener, slot: &Socket) {
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((stream, peer)) = listener.accept() {
            if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                self.admit(stream, peer, slot);
            }
        }
    }

    /// Serves a connection, here or where there is least to do.
    fn admit(self: &Rc<Self>, stream: TcpStream, peer: SocketAddr, slot: &Socket) {
        let Some(admitted) = self.shared.admission.admit(peer.ip().to_canonical(), &slot.connections) else { return };
        let context = slot.context.load();
        let target = self.shared.least_loaded(self.index);
        if let Some(load) = self.shared.loads.get(target) {
            load.fetch_add(1, Ordering::Relaxed);
        }
        if target == self.index {
            tokio::task::spawn_local(serve(self.clone(), Accepted { stream, peer, context, admitted }));
            return;
        }
        let Ok(stream) = stream.into_std() else { return self.shared.unload(target) };
        let handed = Command::Serve(Box::new(HandedOver { stream, peer, context, admitted }));
        if let Err(refused) = self.shared.tell(target, handed) {
            self.shared.unload(target);
            if let Command::Serve(handed) = refused {
                if let Some(load) = self.shared.loads.get(self.index) {
                    load.fetch_add(1, Ordering::Relaxed);
                }
                self.take_over(*handed);
            }
        }
    }

    fn take_over(self: &Rc<Self>, handed: HandedOver) {
        let HandedOver { stream, peer, context, admitted } = handed;
        match TcpStream::from_std(stream) {
            Ok(stream) => {
                tokio::task::spawn_local(serve(self.clone(), Accepted { stream, peer, context, admitted }));
            }
            Err(_) => self.connection_closed(),
        }
    }

    /// Moves the clock on, and looks after idle upstream connections now and then.
    async fn keep_time(self: Rc<Self>) {
        let mut ticks = 0_u32;
        loop {
            self.clock.pause(RARE).await;
            self.clock.tick();
            if self.draining() {
                self.clock.wake_idle();
            }
            ticks = ticks.wrapping_add(1);
            if ticks.is_multiple_of(SWEEP) || self.clock.watched() == 0 {
                self.pools.borrow_mut().sweep(self.clock.now(), Warm::is_gone);
                // A worker at rest lets go of old routes, too.
                self.view.borrow_mut().get();
            }
        }
    }
}

impl Accepting {
    async fn end(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// Descriptors or memory: trying again at once would spin.
fn out_of_something(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    error.raw_os_error().is_some_and(|code| exhausted.iter().any(|errno| errno.raw_os_error() == code))
}
