/**
 * Runs the suite in every installed runtime, or in those named: `deno run -A tests/runtimes/run.ts [name ...]`. It is a failure if a named
 * runtime is missing; without names, missing ones are reported and skipped, unless `--all` is given. `--install` installs Debian's browsers
 * where that is allowed.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import esbuild from "esbuild";
import { encode, fromArray, Tensor } from "../../mod.ts";
import { type SuiteServer, suiteServer } from "./server.ts";
import type { Outcome } from "./suite.ts";

/** Milliseconds that a page has for the whole suite. */
const PATIENCE = 300_000;
const folder = mkdtempSync(join(tmpdir(), "oarlock-runtimes-"));

function which(...names: string[]): string | null {
  const places = (process.env.PATH ?? "").split(":");
  for (const name of names) {
    if (name.startsWith("/")) {
      if (existsSync(name)) return name;
      continue;
    }
    for (const place of places) if (existsSync(join(place, name))) return join(place, name);
  }
  return null;
}

/** Start a program in its own process group, and end the group when `until` settles. */
async function during<T>(command: string, args: string[], env: Record<string, string>, until: Promise<T>): Promise<T> {
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", "ignore", "ignore"],
    env: { ...process.env, ...env },
  });
  const gone = new Promise<never>((_, reject) => child.on("error", reject));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) =>
    timer = setTimeout(() => reject(new Error("it told nothing in time")), PATIENCE)
  );
  try {
    return await Promise.race([until, gone, late]);
  } finally {
    clearTimeout(timer);
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // It has already exited.
    }
  }
}

/** Run the suite as a program that prints its outcomes. */
async function printed(command: string, args: string[], url: string): Promise<Outcome[]> {
  const file = join(folder, "print.mjs");
  writeFileSync(
    file,
    `import { suite } from "./suite.mjs";\nconsole.log("@@" + JSON.stringify(await suite(${
      JSON.stringify(url)
    })));\nprocess.exit(0);\n`,
  );
  const child = spawn(command, [...args, file], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let out = "", err = "";
  child.stdout.on("data", (chunk) => out += chunk);
  child.stderr.on("data", (chunk) => err += chunk);
  await new Promise((done) => child.on("close", done));
  const line = out.split("\n").find((text) => text.startsWith("@@"));
  if (!line) throw new Error(`nothing was printed: ${err.slice(-500)}`);
  return JSON.parse(line.slice(2));
}

async function inBrowser(
  server: SuiteServer,
  start: (url: string, until: Promise<Outcome[]>) => Promise<Outcome[]>,
  pages: string[],
): Promise<Outcome[]> {
  const all: Outcome[] = [];
  for (const page of pages) {
    const outcomes = await start(`${server.url}/${page}`, server.told());
    all.push(...outcomes.map(({ name, error }) => ({ name: `${page.replace("run", "page")}: ${name}`, error })));
  }
  return all;
}

/** A program for edge runtimes that answers every request with the outcomes of the suite. */
const EDGE = `import { suite } from "./suite.mjs";
import { MemoryFolder, setDefaultFolder } from "./suite.mjs";
`;

const RUNTIMES: Record<string, { here: () => boolean; run: (server: SuiteServer) => Promise<Outcome[]> }> = {
  deno: {
    here: () => which("deno") !== null,
    run: ({ url }) => printed("deno", ["run", "-A", "--no-lock", "--no-config"], url),
  },
  node: { here: () => which("node") !== null, run: ({ url }) => printed("node", [], url) },
  bun: {
    here: () => existsSync("node_modules/.bin/bun"),
    run: ({ url }) => printed(resolve("node_modules/.bin/bun"), [], url),
  },
  chromium: {
    here: () => which("chromium") !== null,
    run: (server) =>
      inBrowser(server, (url, until) => {
        const args = [
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
        ];
        args.push(
          "--disable-component-update",
          "--disable-sync",
          `--user-data-dir=${mkdtempSync(join(folder, "chromium-"))}`,
          url,
        );
        return during(which("chromium")!, args, {}, until);
      }, ["run", "run-strict", "run-worker"]),
  },
  firefox: {
    here: () => which("firefox-esr", "firefox") !== null,
    run: (server) =>
      inBrowser(server, (url, until) => {
        const profile = mkdtempSync(join(folder, "firefox-"));
        return during(which("firefox-esr", "firefox")!, ["--headless", "--no-remote", "--profile", profile, url], {
          HOME: profile,
        }, until);
      }, ["run", "run-strict", "run-worker"]),
  },
  webkit: {
    here: () => miniBrowser() !== null && which("xvfb-run") !== null,
    run: (server) =>
      inBrowser(server, (url, until) => {
        const home = mkdtempSync(join(folder, "webkit-"));
        const env = {
          HOME: home,
          XDG_DATA_HOME: home,
          XDG_CACHE_HOME: home,
          WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
          WEBKIT_DISABLE_COMPOSITING_MODE: "1",
          LIBGL_ALWAYS_SOFTWARE: "1",
        };
        return during("xvfb-run", ["-a", miniBrowser()!, url], env, until);
      }, ["run", "run-strict", "run-worker"]),
  },
  workerd: {
    here: () => true,
    run: async ({ url }) => {
      const { Miniflare } = await import(["npm:miniflare", "4.20260730.0"].join("@"));
      const miniflare = new Miniflare({
        modules: [
          {
            type: "ESModule",
            path: "main.mjs",
            contents: EDGE + `export default { async fetch(_, env) {
  setDefaultFolder(env.BUCKET ? new (await import("./suite.mjs")).BucketFolder(env.BUCKET) : new MemoryFolder());
  return Response.json(await suite(${JSON.stringify(url)}));
} };`,
          },
          { type: "ESModule", path: "suite.mjs", contents: await bundled() },
        ],
        compatibilityDate: "2026-07-01",
        r2Buckets: ["BUCKET"],
      });
      try {
        const response = await miniflare.dispatchFetch("http://localhost/");
        const text = await response.text();
        if (!response.ok) throw new Error(text.slice(0, 500));
        return JSON.parse(text);
      } finally {
        await miniflare.dispose();
      }
    },
  },
  "edge-runtime": {
    here: () => true,
    run: async ({ url }) => {
      const { EdgeRuntime } = await import(["npm:edge-runtime", "4.0.1"].join("@"));
      const runtime = new EdgeRuntime();
      return await runtime.evaluate(`${await bundled("iife")};
oarlock.setDefaultFolder(new oarlock.MemoryFolder());
oarlock.suite(${JSON.stringify(url)})`);
    },
  },
};

function miniBrowser(): string | null {
  for (const base of ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]) {
    if (!existsSync(base)) continue;
    for (const name of readdirSync(base)) {
      const path = join(base, name, "MiniBrowser");
      if (name.startsWith("webkit2gtk-4") && existsSync(path)) return path;
    }
  }
  return null;
}

/** Install Debian's browsers, if its tools exist and may be used. */
function install(): void {
  const isThere = which("chromium") && which("firefox-esr") && miniBrowser() && which("xvfb-run");
  if (isThere || !which("apt-get") || process.getuid?.() !== 0) return;
  const packages = ["chromium", "firefox-esr", "webkit2gtk-driver", "xvfb", "xauth"];
  for (const args of [["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", ...packages]]) {
    const { status } = spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) return console.log("the browsers cannot be installed here");
  }
}

async function bundled(format: "esm" | "iife" = "esm"): Promise<string> {
  const result = await esbuild.build({
    stdin: {
      contents:
        `export * from "./tests/runtimes/suite.ts"; export { BucketFolder, MemoryFolder, setDefaultFolder } from "./mod.ts";`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    write: false,
    format,
    globalName: "oarlock",
    target: "es2022",
    supported: { using: false },
  });
  return result.outputFiles[0].text;
}

if (process.argv.includes("--install")) install();
const script = await bundled();
writeFileSync(join(folder, "suite.mjs"), script);
const file = encode(
  new Map([
    [
      "w",
      new Tensor("float32", [4, 25_000], Float32Array.from({ length: 100_000 }, (_, i) => i / 2), {
        name: "linear_0.w_0",
      }),
    ],
    [
      "b",
      new Tensor("bfloat16", [3], fromArray([1.5, -2, 0.25], "float32").astype("bfloat16").bytes, {
        name: "linear_0.b_0",
      }),
    ],
  ]),
);
const named = process.argv.slice(2).filter((name) => !name.startsWith("--")), all = process.argv.includes("--all");
let failures = 0;
for (const name of named.length > 0 ? named : Object.keys(RUNTIMES)) {
  const runtime = RUNTIMES[name];
  if (!runtime) throw new Error(`There is no runtime ${name}: ${Object.keys(RUNTIMES).join(" ")}`);
  if (!runtime.here()) {
    const isDue = all || named.length > 0;
    if (isDue) failures++;
    console.log(`${name}: is not here${isDue ? "" : ", passed over"}`);
    continue;
  }
  const server = await suiteServer(script, file);
  const before = performance.now();
  try {
    const outcomes = await runtime.run(server);
    const failed = outcomes.filter(({ error }) => error !== null);
    failures += failed.length;
    console.log(
      `${name}: ${outcomes.length - failed.length} of ${outcomes.length} in ${
        Math.round((performance.now() - before) / 1000)
      } s`,
    );
    for (const { name, error } of failed) console.log(`  ${name}: ${error}`);
  } catch (error) {
    failures++;
    console.log(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await server.close();
  }
}
await esbuild.stop();
rmSync(folder, { recursive: true, force: true });
process.exit(failures === 0 ? 0 : 1);
