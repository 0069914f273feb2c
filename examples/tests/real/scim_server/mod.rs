//! `scim-server` with a tester that others wrote.

mod tester;
