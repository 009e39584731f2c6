import { z } from 'zod';
import type { Laptop } from './laptop.js';
import type { Stage } from './stage.js';

const Asked = z.object({ id: z.uuid() });
const Link = z.object({ url: z.url() });
const REPORT_CODE = /([0-9A-Z]{4}-){3}[0-9A-Z]{4}/;

/** Its holder signs for a laptop by a link, and gets the code with which they report it lost. */
export async function signForLaptop({ admin, stranger, report }: Stage, { id, assetTag }: Laptop): Promise<string> {
  const [asked] = await admin.list(`/v1/acknowledgements?deviceId=${id}&signed=false`, Asked);
  const { url } = await admin.post(`/v1/acknowledgements/${asked?.id}/link`, undefined, Link);
  const { status, page } = await stranger.submit(url);
  const code = REPORT_CODE.exec(page)?.[0];
  report.prove(
    `${assetTag} is signed for by a one-time link, which shows a code to report its loss with`,
    status === 200 && code !== undefined,
    { status },
  );
  return code ?? '';
}
