//! `scim-server` with a tester that others wrote, on two nodes, and killed.

mod killed;
mod nodes;
mod tester;
