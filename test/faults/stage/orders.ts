import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../../support/wait-for.js';

/** What a worker does to itself, and where; see `worker-hooks.mjs`. Whatever is left out applies to every step. */
export interface Order {
  phase: 'claimed' | 'sending' | 'answered';
  act?: string;
  /** Phases pass twice: for the act, and for the read-back after it. */
  attemptKind?: 'act' | 'read_back' | 'look';
  lane?: string;
  stepId?: string;
  personId?: string;
  fault: NodeJS.Signals | 'loop' | 'throw' | 'eat memory';
  /** Carried out by the first worker that comes there, and by no other. */
  once: boolean;
}

/** Who carried an order out first, and over which attempt. */
export interface Ticket {
  pid: number;
  at: number;
  stepId: string;
  personId: string;
  attemptId: string;
  attemptNumber: number;
  act: string;
}

export interface GivenOrder {
  taken(withinMs?: number): Promise<Ticket>;
  /** Null while nobody has carried it out. */
  ticket(): Promise<Ticket | null>;
  cancel(): Promise<void>;
}

/** The orders of one service's workers, in a file that each of them reads. */
export class Orders {
  readonly file: string;
  private readonly standing = new Map<string, Order & { ticket: string }>();

  constructor(private readonly folder: string) {
    this.file = join(folder, 'orders.json');
  }

  async give(order: Order): Promise<GivenOrder> {
    const id = randomUUID();
    const ticketFile = join(this.folder, `ticket-${id}`);
    this.standing.set(id, { ...order, ticket: ticketFile });
    await this.write();
    const ticket = async () => {
      const text = await readFile(ticketFile, 'utf8').catch(() => '');
      return text.endsWith('}') ? (JSON.parse(text) as Ticket) : null;
    };
    return {
      ticket,
      taken: (withinMs = 20_000) =>
        waitFor(`a worker comes to "${order.phase}" of ${order.act ?? 'a step'}`, ticket, { withinMs }),
      cancel: async () => {
        this.standing.delete(id);
        await this.write();
      },
    };
  }

  private async write(): Promise<void> {
    const unfinished = `${this.file}.${randomUUID()}`;
    await writeFile(unfinished, JSON.stringify([...this.standing.values()]));
    await rename(unfinished, this.file);
  }
}
