// The suite's describe/it. @std/testing itself points at node:test, which has the same names on Deno, Bun and Node.
export { after as afterAll, afterEach, before as beforeAll, beforeEach, describe, it, it as test } from "node:test";
