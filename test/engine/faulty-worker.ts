import { afterAll, afterEach, beforeAll } from 'vitest';
import type { TestProcess } from '../support/processes.js';
import { TestService } from '../support/service.js';

const FAULTS = 'test/support/fault-at.mjs';

/** One service for all tests of a block; each brings the worker that meets its fault. */
export function serviceWith(redis: boolean): () => TestService {
  let service: TestService;
  beforeAll(async () => {
    service = await TestService.start({ redis, workers: ['emergency'] });
  });
  afterEach(() => service.killWorkers('standard,bulk'));
  afterAll(() => service.stop());
  return () => service;
}

export async function faultyWorker(service: TestService, fault: string): Promise<TestProcess> {
  return service.startWorker('standard,bulk', { preload: FAULTS, env: { QM_FAULT: fault } });
}
