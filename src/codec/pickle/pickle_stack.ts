/**
 * The stack of a pickle machine, with its marks.
 *
 * @module
 */
import { Here } from "./here.ts";

/** Items, and marks that shield the items below them. */
export class PickleStack {
  readonly items: unknown[] = [];
  /** The number of items below each open MARK. */
  readonly marks: number[] = [];
  /** Items below this index are shielded by the last open MARK. */
  fence = 0;
  /** The opcode that works on it. */
  readonly here: Here = new Here(this.items, this.marks);

  /** Set a mark. */
  mark(): void {
    this.fence = this.items.length;
    this.marks.push(this.fence);
  }

  /** Remove the last mark. Returns the index of the first item above it. */
  popMark(): number {
    const { marks } = this;
    const start = marks.pop();
    if (start === undefined) throw this.here.badStack("wants a mark");
    this.fence = marks.length > 0 ? marks[marks.length - 1] : 0;
    return start;
  }

  /** Remove and return the top item. */
  pop(): unknown {
    const { items } = this;
    if (items.length <= this.fence) throw this.here.badStack("takes more than the stack holds");
    return items.pop();
  }

  /** The top item. */
  top(): unknown {
    const { items } = this;
    if (items.length <= this.fence) throw this.here.badStack("needs a value on the stack");
    return items[items.length - 1];
  }

  /** The item below a mark that was just popped. */
  below(start: number): unknown {
    if (start <= this.fence) throw this.here.badStack("needs a value below its mark");
    return this.items[start - 1];
  }
}
