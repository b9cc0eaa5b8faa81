/** Formats the figures as a Markdown table. */
import type { Report, Worker } from "./measure.ts";
import {
  type CallRow,
  MEMORY_LIMIT,
  type MemoryRow,
  type RuntimeName,
  STREAM_LIMIT,
  type StreamRow,
  type TimeRow,
} from "./rows.ts";

/** Reports, keyed by `worker job`. */
export type Results = Map<string, Report[]>;

/** The tables. */
export function markdown(bench: {
  times: readonly TimeRow[];
  calls: readonly CallRow[];
  memory: readonly MemoryRow[];
  streams: readonly StreamRow[];
  workers: readonly Worker[];
  results: Results;
  reps: number;
}): string {
  const { times, calls, memory, streams, workers, results, reps } = bench;
  const names = workers.map((w) => w.name as RuntimeName);
  const titles = names.map((name) => name[0].toUpperCase() + name.slice(1));
  const lines = [
    `| job | against | at most | ${titles.join(" | ")} |`,
    `| --- | --- | --- | ${titles.map(() => "---").join(" | ")} |`,
  ];
  for (const row of times) {
    const theirs = results.get(`peer ${row.peer}`)!.map((r) => r.ms);
    const cells = names.map((name) => {
      const ours = results.get(`${name} ${row.job}`)!.map((r) => r.ms);
      return timeCell(ours, theirs, limitOf(row, name));
    });
    const limits = [...new Set(names.map((name) => limitText(limitOf(row, name))))].join(" / ");
    lines.push(`| ${row.title} | ${row.against}, ${ms(median(theirs))} | ${limits} | ${cells.join(" | ")} |`);
  }
  for (const row of calls) {
    const cells = names.map((name) => {
      const [ours, theirs] = [row.job, row.base].map((job) => results.get(`${name} ${job}`)!.map((r) => r.ms));
      return timeCell(ours, theirs, row.limit);
    });
    lines.push(`| ${row.title} | ${row.against} | ${row.limit} | ${cells.join(" | ")} |`);
  }
  for (const row of memory) {
    const cells = names.map((name) => {
      const empty = median(results.get(`${name} empty`)!.map((r) => r.peakKiB));
      const reports = results.get(`${name} ${row.job}`)!;
      const beside = reports.map((r) => (r.peakKiB - empty - r.nbytes / 1024) / 1024);
      return `${mark(median(beside) <= MEMORY_LIMIT)}${median(beside).toFixed(0)} MiB`;
    });
    lines.push(`| ${row.title} | the empty runtime | ${MEMORY_LIMIT} MiB | ${cells.join(" | ")} |`);
  }
  const speed = (name: RuntimeName, { from }: StreamRow, kind: string) => {
    const [base, mine] = [kind, "stream"].map((job) => median(results.get(`${name} ${job}:${from}`)!.map((r) => r.ms)));
    return base / mine;
  };
  for (const row of streams) {
    const cells = names.map((name) => {
      const [dropped, kept] = ["drop", "keep"].map((kind) => speed(name, row, kind));
      return `${mark(dropped >= STREAM_LIMIT)}${dropped.toFixed(2)} (${kept.toFixed(2)})`;
    });
    const against = "speed of the stream read and dropped (and kept)";
    lines.push(`| ${row.title} | ${against} | at least ${STREAM_LIMIT} | ${cells.join(" | ")} |`);
  }
  return `${
    lines.join("\n")
  }\n\nRatios of medians of ${reps} runs, in brackets the least and the greatest run of ours against that median; ` +
    `a ratio above its limit is marked with (!).\n`;
}

function limitOf(row: TimeRow, name: RuntimeName): number {
  return typeof row.limit === "number" ? row.limit : row.limit[name]!;
}

function limitText(limit: number): string {
  return limit < 0.02 ? `1/${Math.round(1 / limit)}` : String(limit);
}

/** Small ratios read better as 1/n. */
function timeCell(ours: number[], theirs: number[], limit: number): string {
  const whole = median(theirs);
  const text = (x: number) => limit < 0.02 ? `1/${Math.round(whole / x)}` : (x / whole).toFixed(2);
  return `${mark(median(ours) / whole <= limit)}${text(median(ours))} (${text(Math.min(...ours))}-${
    text(Math.max(...ours))
  })`;
}

function mark(isMet: boolean): string {
  return isMet ? "" : "(!) ";
}

function ms(time: number): string {
  return time < 100 ? `${time.toFixed(1)} ms` : `${Math.round(time)} ms`;
}

/** The median; for an even count, the mean of the two middle values. */
export function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
