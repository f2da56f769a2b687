/*-------------------------------------------------------------------------
 *
 * mogocred.h
 *	  What the modules of mogocred offer each other.
 *
 * Each module's head says what it owns and which rules hold in it; here is
 * only the list. Everything that is not in this list is static.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MOGOCRED_H
#define MOGOCRED_H

#include "postgres.h"

#include "compat.h"

#endif							/* MOGOCRED_H */
