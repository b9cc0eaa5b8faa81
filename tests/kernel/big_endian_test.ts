import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { isPaddleError } from "../../mod.ts";
import { withGlobals } from "../helpers/with_globals.ts";

describe("on a big-endian processor", () => {
  it("the library refuses to start, as every number of a file would be another one", async () => {
    // As `Uint16Array.of(1)` lies in memory there.
    const swapped = { of: () => new Uint8Array([0, 1]) };
    let error: unknown;
    await withGlobals({ Uint16Array: swapped }, async () => {
      error = await import("../../src/words/typed_view.ts?big").then(() => "nothing", (error) => error);
    });
    assert.equal(isPaddleError(error) && error.code, "UNSUPPORTED_RUNTIME", String(error));
    assert.match(String(error), /little-endian/);
  });
});
