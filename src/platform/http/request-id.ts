import type { IncomingMessage, ServerResponse } from 'node:http';
import { newId } from '../ids/new-id.js';

const ids = new WeakMap<IncomingMessage, string>();

/** The request's id: made here, never taken from the caller, so that one id means one request in our logs. */
export function requestIdOf(request: IncomingMessage): string {
  let id = ids.get(request);
  if (!id) ids.set(request, (id = newId()));
  return id;
}

/** Middleware: tells the caller the id, to quote when asking about it. */
export function tellRequestId(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  response.setHeader('X-Request-Id', requestIdOf(request));
  next();
}
