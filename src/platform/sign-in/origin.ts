import type { Request } from 'express';
import { requestIdOf } from '../http/request-id.js';
import type { Origin } from './actor.js';

/** From where a request comes, for the audit log. */
export function originOf(request: Request): Origin {
  return { via: 'rest', requestId: requestIdOf(request), ...(request.ip !== undefined && { address: request.ip }) };
}
