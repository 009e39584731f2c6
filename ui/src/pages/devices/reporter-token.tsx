import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { deviceTokenQuery } from '../../api/device-queries.js';
import type { DeviceDetails } from '../../api/types.js';
import { Fact } from '../../parts/fact.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

/** With what the device reports by itself, or that it can't any more and what to do; nothing where it never could. */
export function ReporterToken({ device: { id, assetTag } }: { device: DeviceDetails }): ReactNode {
  const token = useQuery(deviceTokenQuery(id)).data?.token;
  if (!token) return null;
  const { madeAt, endedAt, endedBecause } = token;
  return (
    <Fact name={text.devices.ownToken}>
      {endedAt === null ? (
        <>
          {text.devices.tokenMade} <Instant at={madeAt} />
        </>
      ) : (
        <>
          ▲ {text.devices.tokenEnded[endedBecause ?? 'withdrawn']} <Instant at={endedAt} />
          <span className="dim"> · {text.devices.makeToken(assetTag)}</span>
        </>
      )}
    </Fact>
  );
}
