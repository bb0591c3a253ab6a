//! One run's record on disk: open, lock, append, fold into a state; what is owed.
