//! The only room that prints: terminal, tables, progress, prompts, JSON.
