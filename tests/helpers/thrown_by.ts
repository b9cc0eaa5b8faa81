/** The error of a call that must fail. */
import assert from "node:assert/strict";
import { isPaddleError, type PaddleError } from "../../mod.ts";

/** The PaddleError that `run` throws; fails if it throws another error or none. */
export function thrownBy(run: () => unknown): PaddleError {
  try {
    run();
  } catch (error) {
    assert.ok(isPaddleError(error), String(error));
    return error;
  }
  return assert.fail("nothing was refused");
}
