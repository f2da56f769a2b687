/* mogocred 1.0: the whole extension. Upgrade scripts stand beside this file. */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION mogocred CASCADE" to load this file. \quit
