/** The files in a folder and its subfolders. */
import { readdirSync, statSync } from "node:fs";

/** Their paths, which begin with `folder`, with slashes and in the order of the names; links are followed. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder).sort().flatMap((name) => {
    const path = `${folder}/${name}`;
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}
