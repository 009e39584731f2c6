import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { DeviceSeen } from './api-shapes.js';
import type { QuartermasterApi } from './quartermaster-api.js';

const Token = z.object({ token: z.string() });
/** The letters of systemd's recovery keys. */
const MODHEX = 'cbdefghijklnrtuv';

/** A laptop as its own reporter speaks for it: with a token of this device, and of no other. */
export class Laptop {
  private constructor(
    readonly id: string,
    readonly assetTag: string,
    readonly serial: string,
    private readonly token: string,
    private readonly stranger: QuartermasterApi,
  ) {}

  /** With a new token, in place of the one before. */
  static async of(
    { id, assetTag, serial }: Pick<DeviceSeen, 'id' | 'assetTag'> & { serial: string },
    api: QuartermasterApi,
    stranger: QuartermasterApi,
  ): Promise<Laptop> {
    const { token } = await api.post(`/v1/devices/${id}/token`, undefined, Token);
    return new Laptop(id, assetTag, serial, token, stranger);
  }

  async tell(what: Readonly<Record<string, unknown>>, observedAt: Date): Promise<void> {
    const { token, serial } = this;
    const observation = { ...what, source: 'reporter', observedAt: observedAt.toISOString() };
    await this.stranger.post('/v1/reporters/observations', { token, serial, observation }, z.unknown());
  }

  /** Makes a recovery key and hands it over; it isn't kept on the laptop. */
  async escrow(): Promise<void> {
    const { token, serial } = this;
    const letters = (count: number) => Array.from({ length: count }, () => MODHEX[randomInt(MODHEX.length)]).join('');
    const key = Array.from({ length: 8 }, () => letters(8)).join('-');
    const kept = { token, serial, protects: 'luks', key, provedAt: new Date().toISOString() };
    await this.stranger.post('/v1/reporters/recovery-keys', kept, z.unknown());
  }
}
