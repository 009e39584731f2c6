interface Entry {
  at: number;
  order: number;
  happen: () => void;
}

/** A virtual clock in milliseconds and what is still to happen, in the order of its time; a heap. */
export class Timeline {
  now = 0;
  happened = 0;
  private order = 0;
  private readonly heap: Entry[] = [];

  after(delay: number, happen: () => void): void {
    this.at(this.now + delay, happen);
  }

  at(at: number, happen: () => void): void {
    const { heap } = this;
    const entry = { at: Math.max(at, this.now), order: (this.order += 1), happen };
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (!above || !isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Lets the next thing happen; false when there is none. */
  step(): boolean {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last) return false;
    if (heap.length > 0) this.sink(last);
    this.now = first.at;
    this.happened += 1;
    first.happen();
    return true;
  }

  private sink(entry: Entry): void {
    const { heap } = this;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      const smaller = left && right && isBefore(right, left) ? right : left;
      if (!smaller || !isBefore(smaller, entry)) break;
      heap[index] = smaller;
      index = smaller === left ? 2 * index + 1 : 2 * index + 2;
    }
    heap[index] = entry;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
