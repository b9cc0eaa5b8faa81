/** The folder of the file at a URL. */
import * as paddle from "../../mod.ts";
import { nameAt } from "./name_at.ts";

/** The folder in which the file at `url` has the name that {@linkcode nameAt} returns. `fetch` takes the place of the global one. */
export function folderAt(url: URL, fetch: paddle.Fetch = globalThis.fetch.bind(globalThis)): paddle.HttpFolder {
  const slash = url.pathname.lastIndexOf("/") + 1;
  const last = url.pathname.slice(slash);
  const base = new URL(url);
  base.pathname = url.pathname.slice(0, slash);
  // A name that is not UTF-8 stays encoded, and the folder encodes its percent signs once more.
  const isEncoded = nameAt(url) === last && /%[0-9a-f]{2}/i.test(last);
  if (!isEncoded) return new paddle.HttpFolder(base, { fetch });
  return new paddle.HttpFolder(base, {
    fetch(input, init) {
      const asked = new URL(input);
      // A redirect may lead anywhere.
      if (asked.origin === base.origin && asked.pathname.startsWith(base.pathname)) {
        asked.pathname = base.pathname + asked.pathname.slice(base.pathname.length).replaceAll("%25", "%");
      }
      return fetch(asked.href, init);
    },
  });
}
