// The suite's describe/it, from node:test, which has the same names in Deno, Bun and Node.
export { after as afterAll, afterEach, before as beforeAll, beforeEach, describe, it, it as test } from "node:test";
