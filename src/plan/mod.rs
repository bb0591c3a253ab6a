//! Pure and synchronous: failover, failback, position, preflight. No I/O, no clock reads.
