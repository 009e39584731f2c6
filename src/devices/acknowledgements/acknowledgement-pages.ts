import { escapeHtml, plainPage } from '../../platform/http/plain-page.js';
import type { ToSign } from './acknowledgements.service.js';

export function signPage({ text, assetTag, modelName, personName }: ToSign): string {
  return plainPage(
    `${escapeHtml(personName)}, sign for your device`,
    `<dl>
      <dt>Device</dt><dd>${escapeHtml(modelName)}</dd>
      <dt>Label</dt><dd><code>${escapeHtml(assetTag)}</code></dd>
    </dl>
    ${text
      .split(/\n{2,}/)
      .map((paragraph) => `<p>${escapeHtml(paragraph).replaceAll('\n', '<br>')}</p>`)
      .join('\n    ')}
    <form method="post"><button type="submit">I agree and sign</button></form>`,
  );
}

/** @param reportCode null: they need none any more @param lostAt where a loss is reported */
export function signedPage(reportCode: string | null, lostAt: string): string {
  return plainPage(
    'Thank you, it is signed',
    `<p>When, and from which network, was written down.</p>
    ${reportCode === null ? '' : ifLost(reportCode, lostAt)}`,
  );
}

function ifLost(reportCode: string, lostAt: string): string {
  return `<h2>If you ever lose the laptop</h2>
    <p>Report it yourself, from any telephone, at <code>${escapeHtml(lostAt)}</code> with this code:</p>
    <p><code>${escapeHtml(reportCode)}</code></p>
    <p>Keep it where the laptop isn’t: in your wallet, or on your phone. It is shown this once. Whoever has it can end your access, and do nothing else.</p>`;
}
