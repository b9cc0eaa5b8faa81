/** Builds the inspector and serves it on this machine only: `deno task inspector [port]`. */
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const TYPES = new Map([["index.html", "text/html; charset=utf-8"], ["style.css", "text/css"], [
  "main.js",
  "text/javascript",
]]);

async function bundled(entry: string, define: Record<string, string>): Promise<string> {
  const result = await esbuild.build({
    entryPoints: [join(HERE, entry)],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    target: "es2022",
    supported: { using: false },
    define: { "import.meta.main": "false", ...define },
  });
  return result.outputFiles[0].text;
}

/** Write three files to `folder`, for any static server. */
export async function build(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const worker = await bundled("worker.ts", {});
  const main = await bundled("main.ts", { WORKER_SOURCE: JSON.stringify(worker) });
  await writeFile(join(folder, "main.js"), main);
  for (const name of ["index.html", "style.css"]) await copyFile(join(HERE, name), join(folder, name));
  await esbuild.stop();
}

/** Serve the built files on the loopback address. */
export function serve(folder: string, port: number): Promise<Server> {
  const server = createServer(async (request, response) => {
    const name = new URL(request.url!, "http://localhost").pathname.slice(1) || "index.html";
    const type = TYPES.get(name);
    if (!type) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": type, "cache-control": "no-store", "x-content-type-options": "nosniff" });
    response.end(await readFile(join(folder, name)));
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

if (import.meta.main) {
  const folder = "out/inspector";
  await build(folder);
  const server = await serve(folder, Number(process.argv[2] ?? 8000));
  const address = server.address();
  console.log(`http://127.0.0.1:${typeof address === "object" && address ? address.port : ""}/`);
}
