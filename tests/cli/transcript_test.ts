import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { played, recorded, TRANSCRIPT } from "./transcript.ts";

describe("the command line", () => {
  it(`prints what ${TRANSCRIPT} shows, letter by letter`, async () => {
    const session = recorded();
    assert.ok(session.length > 50, `${session.length} commands`);
    const said = await played(session.map(({ command }) => command));
    session.forEach(({ command, text }, i) => assert.equal(said[i].text, text, command));
  });
});
