import { Inject, Injectable } from '@nestjs/common';
import type { Connector } from '../../connectors/kit/contract.js';
import { Problem } from '../platform/errors/problem.js';

/** Provided by the composition root, which alone imports `connectors/index.ts`: `readonly Connector[]`. */
export const CONNECTORS = Symbol('CONNECTORS');

/** The kinds of tools that this installation can speak to. */
@Injectable()
export class Connectors {
  constructor(@Inject(CONNECTORS) readonly all: readonly Connector[]) {}

  find(id: string): Connector | undefined {
    return this.all.find((connector) => connector.id === id);
  }

  /** @throws Problem `invalid-request` that names the ones there are */
  get(id: string): Connector {
    const connector = this.find(id);
    if (connector) return connector;
    const known = this.all.map((one) => one.id).join(', ');
    throw new Problem('invalid-request', `There is no connector “${id}”; there are ${known}.`, [
      { pointer: '/connector', detail: `One of ${known}.` },
    ]);
  }
}
