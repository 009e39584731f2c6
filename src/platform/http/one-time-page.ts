import type { Response } from 'express';
import { Problem } from '../errors/problem.js';
import { escapeHtml, plainPage } from './plain-page.js';

/** Answers the page behind a one-time link, or the page that says why there is none any more. */
export async function answerPage(response: Response, page: () => Promise<string>): Promise<void> {
  response.type('html');
  try {
    response.send(await page());
  } catch (error) {
    if (!(error instanceof Problem && error.kind === 'gone')) throw error;
    response.status(410).send(plainPage('This link does not work any more', `<p>${escapeHtml(error.message)}</p>`));
  }
}
