//! Runs all variants in turns, so that whatever else the machine does hits all of them.

use std::{fs, path::Path, time::Duration};

use crate::{Error, environment::installed, figures::Figures, share::Share, variant::Variant};

/// Starts of each.
const STARTS: usize = 15;
/// Rounds of requests to a process that runs.
const ROUNDS: usize = 5;
/// Requests in each of them.
const REQUESTS: u32 = 400;
/// Starts of each under a small function's share of a processor.
const SHARED: usize = 5;

/// What was measured of one variant; times in microseconds.
#[derive(Default)]
pub(crate) struct Measured {
    pub(crate) name: String,
    /// From the start of the process until it asks for its first request.
    pub(crate) init: Figures,
    pub(crate) init_cpu: Figures,
    pub(crate) first: Figures,
    pub(crate) first_cpu: Figures,
    pub(crate) warm: Figures,
    /// One figure for each round.
    pub(crate) warm_cpu: Figures,
    /// The first request with the processor share of 128 MB.
    pub(crate) first_shared: Figures,
    /// The most memory, in KiB.
    pub(crate) peak: u64,
    /// Bytes of log for one request.
    pub(crate) logged: f64,
    pub(crate) instructions: Option<Instructions>,
}

/// What callgrind counts.
#[derive(Clone, Copy)]
pub(crate) struct Instructions {
    pub(crate) init: u64,
    pub(crate) first: u64,
    /// Of each request after the first.
    pub(crate) warm: u64,
}

/// Starts, and requests to what has started.
pub(crate) fn times(variants: &[Variant], share: &Share) -> Result<Vec<Measured>, Error> {
    let named = |variant: &Variant| Measured { name: variant.name.clone(), ..Measured::default() };
    let mut all: Vec<_> = variants.iter().map(named).collect();
    for _ in 0..STARTS {
        for (variant, measured) in variants.iter().zip(&mut all) {
            let running = variant.start(Duration::ZERO)?;
            let cpu = running.environment.cpu()?;
            measured.init.time(running.environment.init);
            measured.init_cpu.time(cpu);
            measured.first.time(running.invoke()?);
            measured.first_cpu.time(running.environment.cpu()?.saturating_sub(cpu));
        }
    }
    for _ in 0..SHARED {
        for (variant, measured) in variants.iter().zip(&mut all) {
            let running = variant.start(Duration::ZERO)?;
            if share.is_real() {
                let group = share.confine(running.environment.id())?;
                measured.first_shared.time(running.invoke()?);
                // First those in it.
                drop(running);
                drop(group);
            } else {
                let cpu = running.environment.cpu()?;
                running.invoke()?;
                let cpu = running.environment.cpu()?.saturating_sub(cpu);
                measured.first_shared.time(cpu.mul_f64(1.0 / Share::OF_128_MB));
            }
        }
    }
    let running = variants.iter().map(|variant| variant.start(Duration::ZERO));
    let running = running.collect::<Result<Vec<_>, _>>()?;
    for running in &running {
        (0..50).try_for_each(|_| running.invoke().map(drop))?;
    }
    let logged: Vec<_> = running.iter().map(|running| running.environment.logged()).collect();
    for _ in 0..ROUNDS {
        for (running, measured) in running.iter().zip(&mut all) {
            let cpu = running.environment.cpu()?;
            for _ in 0..REQUESTS {
                measured.warm.time(running.invoke()?);
            }
            measured.warm_cpu.time((running.environment.cpu()?.saturating_sub(cpu)) / REQUESTS);
        }
    }
    for ((running, measured), before) in running.iter().zip(&mut all).zip(logged) {
        measured.peak = running.environment.peak()?;
        let requests = f64::from(REQUESTS) * ROUNDS as f64;
        measured.logged = (running.environment.logged() - before) as f64 / requests;
    }
    Ok(all)
}

/// A few requests to a process that runs, with an Amazon that answers so much later.
pub(crate) fn few(variant: &Variant, late: Duration) -> Result<Measured, Error> {
    let mut measured = Measured { name: variant.name.clone(), ..Measured::default() };
    let running = variant.start(late)?;
    running.invoke()?;
    for _ in 0..STARTS {
        let cpu = running.environment.cpu()?;
        measured.warm.time(running.invoke()?);
        measured.warm_cpu.time(running.environment.cpu()?.saturating_sub(cpu));
    }
    Ok(measured)
}

/// Counts instructions, by what three runs differ in: no request, one, and fifty more.
pub(crate) fn instructions(variant: &Variant, folder: &Path) -> Result<Instructions, Error> {
    const MORE: u64 = 50;
    let [init, one, all] = [0, 1, 1 + MORE].map(|requests| {
        let out = folder.join(format!("{}.callgrind", variant.name));
        let arguments = vec![
            "--tool=callgrind".to_owned(),
            "--quiet".to_owned(),
            format!("--callgrind-out-file={}", out.display()),
        ];
        let valgrind = (installed("valgrind")?, arguments);
        let running = variant.start_by(Duration::ZERO, Some(valgrind))?;
        (0..requests).try_for_each(|_| running.invoke().map(drop))?;
        running.environment.end()?;
        let counted = fs::read_to_string(out)?;
        let total = counted.lines().find_map(|line| line.strip_prefix("totals: "));
        Ok::<u64, Error>(total.ok_or("callgrind counted nothing")?.trim().parse()?)
    });
    let (init, one, all) = (init?, one?, all?);
    Ok(Instructions { init, first: one.saturating_sub(init), warm: all.saturating_sub(one) / MORE })
}
