//! jit-sql
