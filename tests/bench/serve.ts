/** Serves whole files of a folder over local HTTP. */
import { once } from "node:events";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

const CHUNK = 2 ** 18;

/** Start a server. */
export async function serve(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const file = openSync(join(folder, basename(request.url!)), "r");
    response.writeHead(200, { "content-length": fstatSync(file).size });
    response.on("close", () => closeSync(file));
    const more = () => {
      for (let isReady = true; isReady;) {
        const bytes = new Uint8Array(CHUNK);
        const n = readSync(file, bytes);
        if (n === 0) return void response.end();
        isReady = response.write(bytes.subarray(0, n));
      }
      response.once("drain", more);
    };
    more();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
