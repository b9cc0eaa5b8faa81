/** A server on 127.0.0.1 that follows a script. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A request. */
export interface Asked {
  /** Number of the request, from 0. */
  n: number;
  path: string;
  method: string;
  headers: IncomingHttpHeaders;
  /** The range of `Range: bytes=a-b`, end exclusive. */
  range: { start: number; end: number } | null;
}

/** The response that the script wants to send. */
export interface Answer {
  status: number;
  headers?: Record<string, string | string[]>;
  body?: Uint8Array;
  /** The connection breaks after so many bytes of the body. */
  cut?: number;
  /** Nothing is sent after so many bytes of the body. */
  stall?: number;
  /** One byte is sent every so many milliseconds. */
  trickle?: number;
  /** The body never ends. */
  endless?: boolean;
  /** Milliseconds before the response. */
  delay?: number;
  /** The response is not sent before this settles. */
  held?: Promise<unknown>;
}

export type Script = (asked: Asked) => Answer | "break" | "silence";

export interface ScriptedServer {
  url: string;
  asked: Asked[];
  /** The open connections, and the maximum number of concurrent requests. */
  sockets: Set<Socket>;
  most: () => number;
  /** Requests that were neither answered whole nor dropped by the client. */
  underWay: () => number;
  sent: () => number;
  close(): Promise<void>;
}

/** Start a server. */
export async function scriptedServer(script: Script): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const timers = new Set<ReturnType<typeof setInterval>>();
  let now = 0, most = 0, sent = 0;
  const server = createServer((request, response) => {
    const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const ask: Asked = {
      n: asked.length,
      path: request.url!,
      method: request.method!,
      headers: request.headers,
      range: match ? { start: Number(match[1]), end: match[2] === "" ? Infinity : Number(match[2]) + 1 } : null,
    };
    asked.push(ask);
    request.resume();
    most = Math.max(most, ++now);
    response.once("close", () => now--);
    response.on("error", () => {});
    const answer = script(ask);
    if (answer === "silence") return;
    if (answer === "break") return void request.socket.destroy();
    const later = () => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        send(response, answer);
      }, answer.delay ?? 0);
      timers.add(timer);
    };
    if (answer.held) answer.held.then(later, later);
    else later();
  });
  const send = (response: ServerResponse, answer: Answer) => {
    const { status, headers = {}, body = new Uint8Array(0), cut, stall, trickle, endless } = answer;
    response.writeHead(status, headers);
    const count = (bytes: Uint8Array) => {
      sent += bytes.length;
      return bytes;
    };
    if (cut !== undefined) {
      response.write(count(body.subarray(0, cut)));
      breakAfter(response, 6);
    } else if (stall !== undefined) response.write(count(body.subarray(0, stall)));
    else if (trickle !== undefined) {
      let at = 0;
      const timer = setInterval(() => response.write(count(body.subarray(at, ++at))), trickle);
      timers.add(timer);
      response.once("close", () => clearInterval(timer));
    } else if (endless) {
      const more = () => {
        while (!response.destroyed && response.write(count(new Uint8Array(65_536))));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    } else response.end(count(body));
  };
  /** Break a connection after some turns of the event loop, in which the client can read what it was sent, even on a busy machine. */
  const breakAfter = (response: ServerResponse, turns: number) => {
    timers.add(setTimeout(() => turns > 0 ? breakAfter(response, turns - 1) : response.destroy(), 5));
  };
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    sockets,
    most: () => most,
    underWay: () => now,
    sent: () => sent,
    async close() {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Run `test` with a server, which is closed afterwards. */
export async function withServer(script: Script, test: (server: ScriptedServer) => Promise<void>): Promise<void> {
  const server = await scriptedServer(script);
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

/** A good server's response for `bytes`. */
export function good(
  { range }: Pick<Asked, "range">,
  bytes: Uint8Array,
  headers: Record<string, string> = { etag: '"1"' },
): Answer {
  if (!range) return { status: 200, headers: { ...headers, "content-length": String(bytes.length) }, body: bytes };
  if (range.start >= bytes.length) {
    return { status: 416, headers: { ...headers, "content-range": `bytes */${bytes.length}` } };
  }
  const end = Math.min(range.end, bytes.length);
  return {
    status: 206,
    headers: {
      ...headers,
      "content-range": `bytes ${range.start}-${end - 1}/${bytes.length}`,
      "content-length": String(end - range.start),
    },
    body: bytes.subarray(range.start, end),
  };
}
