import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe as suite, it } from "@std/testing/bdd";
import { audit, isPaddleError, load, type Warning } from "../../mod.ts";
import { CALLS } from "./calls.ts";
import { NO_NUMPY, PYTHON } from "../helpers/python.ts";
import { takesLittle, timeOf } from "../helpers/soon.ts";
import { describe, expected, same } from "../real/describe.ts";
import { Files, WAYS } from "./ways.ts";

// deno-lint-ignore no-explicit-any
type Json = any;
interface Outcome {
  value?: unknown;
  error?: Json;
  warnings: Warning[];
}

/** Milliseconds in which any of these files must be refused or read. */
const LONGEST = 8000;

/** Note a call that took too long, unless it was only delayed: `again` repeats it. */
async function checkTime(name: string, took: number, again: () => Promise<unknown>, failures: string[]): Promise<void> {
  if (took < LONGEST) return;
  const repeated = () => timeOf(() => again().catch(() => {}));
  await takesLittle(name, repeated, LONGEST).catch(({ message }) => failures.push(message));
}

function meets(answer: Json, { value, error, warnings }: Outcome): boolean {
  if (answer.error) {
    const { class: classes, code, offset, symbol, limit } = answer.error;
    return error !== undefined && error.code === code && classes.split("|").includes(error.name) &&
      (offset === undefined || (error.offset >= offset[0] && error.offset <= offset[1])) &&
      (symbol === undefined || error.symbol === symbol) && (limit === undefined || error.limit === limit);
  }
  if (error !== undefined) return false;
  const isWarned = (answer.warnings ?? []).every((code: string) => warnings.some((warning) => warning.code === code));
  if (value instanceof Files) return isWarned && sameFiles(value, answer.value.files);
  return isWarned && (answer.any === true || same(describe(value), expected(answer.value)));
}

function sameFiles({ files }: Files, wanted: Record<string, string>): boolean {
  const names = Object.keys(wanted);
  return names.length === files.size && names.every((name) => {
    const bytes = files.get(name);
    return bytes !== undefined && Buffer.from(bytes).toString("hex") === wanted[name];
  });
}

async function run(folder: string, manifest = "manifest.json"): Promise<void> {
  const { cases, marker } = JSON.parse(readFileSync(join(folder, manifest), "utf8"));
  const failures: string[] = [];
  assert.ok(cases.length > 0);
  for (const c of cases as Json[]) {
    if (Object.hasOwn(CALLS, c.call)) {
      await runCall(c, join(folder, c.path), failures);
      continue;
    }
    assert.ok(Object.hasOwn(WAYS, c.call), `a way for the call ${c.call}`);
    const path = join(folder, c.path);
    const isFile = existsSync(path) && statSync(path).isFile();
    const bytes = isFile ? new Uint8Array(readFileSync(path)) : new Uint8Array(0);
    for (const [way, read] of Object.entries(WAYS[c.call])) {
      const warnings: Warning[] = [];
      const outcome: Outcome = { warnings };
      const call = (onWarning: (w: Warning) => void) =>
        read(path, bytes, { ...c.options, limits: c.limits, onWarning });
      const begin = performance.now();
      try {
        outcome.value = await call((w) => warnings.push(w));
      } catch (error) {
        outcome.error = error;
        if (!isPaddleError(error)) failures.push(`${c.name} through ${way}: ${error} is of another family`);
      }
      await checkTime(`${c.name} through ${way}`, performance.now() - begin, () => call(() => {}), failures);
      if (c.answers.some((answer: Json) => meets(answer, outcome))) continue;
      const got = outcome.error
        ? `${outcome.error.code} at ${outcome.error.offset}`
        : JSON.stringify(describe(outcome.value))?.slice(0, 200);
      failures.push(`${c.name} through ${way} (${c.why}): ${got}; wanted ${JSON.stringify(c.answers).slice(0, 300)}`);
    }
    if (c.call === "load" && !c.options) await compareAudit(c, path, failures);
  }
  assert.equal(existsSync(marker), false, "a file was executed");
  assert.deepEqual(failures, []);
}

/** Run a case of a verb other than `load`. */
async function runCall(c: Json, path: string, failures: string[]): Promise<void> {
  const wanted = c.answers.map((answer: Json) => answer.value);
  let value: Json, error: Json;
  const call = async () => await CALLS[c.call](path, { ...c.options, limits: c.limits }, wanted);
  const begin = performance.now();
  try {
    value = await call();
  } catch (thrown) {
    error = thrown;
    if (!isPaddleError(error)) failures.push(`${c.name}: ${error} is of another family`);
  }
  await checkTime(c.name, performance.now() - begin, call, failures);
  const isMet = c.answers.some((answer: Json) =>
    answer.error
      ? meets(answer, { error, warnings: [] })
      : !error && (answer.any || same(value, expectedOf(answer.value)))
  );
  if (isMet) return;
  const got = error ? `${error.code} at ${error.offset}: ${error.message}` : JSON.stringify(value)?.slice(0, 300);
  failures.push(`${c.name} (${c.why}): ${got}; wanted ${JSON.stringify(c.answers).slice(0, 300)}`);
}

/** The expected values of these calls: programs are compared as they are, except for the values of attributes. */
function expectedOf(value: Json): Json {
  if (value.params) return { params: expected(value.params) };
  if (value.pir) return value;
  if (!value.program) return expected(value);
  const { attrs, ...rest } = value.program;
  if (!attrs) return value;
  const shown = Object.entries(attrs as Json).map(([name, [type, v]]: Json) => [name, [type, expected(v)]]);
  return { program: { ...rest, attrs: Object.fromEntries(shown) } };
}

/** Check that `audit` agrees with `load`, and never throws on a pickle. */
async function compareAudit(c: Json, path: string, failures: string[]): Promise<void> {
  let isLoaded = true;
  await load(path, { limits: c.limits }).catch(() => isLoaded = false);
  const report = await audit(path, { limits: c.limits });
  if (report.ok !== isLoaded) {
    failures.push(`${c.name}: audit says ok=${report.ok}, load ${isLoaded ? "gives a value" : "throws"}`);
  }
  const { error } = c.answers[0];
  if (error?.code !== "FORBIDDEN_SYMBOL" || report.error?.code !== "FORBIDDEN_SYMBOL") return;
  const isListed = report.symbols.some((s) =>
    (error.symbol === undefined || s.symbol === error.symbol) && s.offset >= error.offset[0] &&
    s.offset <= error.offset[1]
  );
  if (!isListed) failures.push(`${c.name}: audit does not list ${error.symbol}`);
}

suite("malformed and hostile files", () => {
  it("give the recorded error or value, however they are read", () => run("tests/fixtures/hostile"));

  it("give the recorded error or value in formats other than Paddle's own", () =>
    run("tests/fixtures/hostile", "formats.json"));

  const script = "../shared/hostile/make_hostile.py";
  it(
    "give the recorded error or value in the whole corpus",
    { skip: existsSync(script) ? NO_NUMPY : "the script of the corpus is not here" },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "oarlock-hostile-"));
      try {
        assert.equal(spawnSync(PYTHON, [script, join(folder, "corpus"), "-q"]).status, 0);
        await run(join(folder, "corpus"));
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
