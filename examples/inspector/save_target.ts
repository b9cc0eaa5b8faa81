/** Where a file is saved: to a handle if the browser has a save dialog, otherwise as a download. */
import type { SaveForm } from "./protocol.ts";

/** A chosen target. */
export interface Target {
  name: string;
  handle: FileSystemFileHandle | null;
}

interface WithPicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

/** Ask for a target. */
export async function targetOf(label: string, form: SaveForm): Promise<Target> {
  const base = label.replace(/ \(recovered\)$/, "").replace(/\/+$/, "").replace(/^.*[/›]\s*/, "");
  const stem = base.replace(/\.(pdparams|pdopt|pdtensor|pdmodel|json|safetensors|npz|npy)$/i, "") || "model";
  const name = `${stem}.${form}`;
  const { showSaveFilePicker } = globalThis as WithPicker;
  if (!showSaveFilePicker) return { name, handle: null };
  const handle = await showSaveFilePicker({ suggestedName: name });
  return { name: handle.name, handle };
}

/** Offer a blob as a download. */
export function keep(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download starts as soon as the click is handled; a minute is plenty for slow ones.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
