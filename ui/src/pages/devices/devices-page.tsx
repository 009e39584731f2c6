import type { ReactNode } from 'react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { endlessDevices, modelsQuery } from '../../api/queries.js';
import { Choice } from '../../parts/choice.js';
import { ChooseSite } from '../../parts/choose-site.js';
import { DownloadCsv } from '../../parts/download-csv.js';
import { Endless } from '../../parts/endless.js';
import { Filters, TypedFilter } from '../../parts/filters.js';
import { Page } from '../../parts/section.js';
import { DEVICE_FILTERS } from '../../search-params.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { DeviceRows } from './device-rows.js';

const route = getRouteApi('/devices');

const ONLY = { spare: { spare: 'true' }, pastLifetime: { pastLifetime: 'true' } } as const;

export function DevicesPage(): ReactNode {
  const may = useMay();
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const { only, ...others } = filters;
  const wanted = { ...others, ...(only && ONLY[only]) };
  const query = useInfiniteQuery(endlessDevices(wanted));
  const { data: models } = useQuery(modelsQuery);
  const modelNames = Object.fromEntries((models?.items ?? []).map(({ id, name }) => [id, name]));
  const keep = (kept: typeof filters): void =>
    void navigate({ search: (before) => ({ ...before, ...kept }), replace: true });
  return (
    <Page
      title={text.nav.devices}
      acts={
        may('devices:write') && (
          <Link to="/devices/import" className="act-link">
            {text.imports.open}
          </Link>
        )
      }
    >
      <Filters>
        <TypedFilter label={text.devices.search} value={filters.search} onChange={(search) => keep({ search })} />
        <Choice
          label={text.devices.stateLabel}
          value={filters.state}
          values={DEVICE_FILTERS.state}
          words={text.devices.state}
          onChange={(state) => keep({ state })}
        />
        <Choice
          label={text.devices.model}
          value={filters.modelId}
          values={Object.keys(modelNames)}
          words={modelNames}
          onChange={(modelId) => keep({ modelId })}
        />
        <ChooseSite
          label={text.devices.site}
          value={filters.siteId ?? null}
          none={text.all}
          onChange={(siteId) => keep({ siteId: siteId ?? undefined })}
        />
        <Choice
          label={text.encryption.title}
          value={filters.encryption}
          values={DEVICE_FILTERS.encryption}
          words={text.devices.encryption}
          onChange={(encryption) => keep({ encryption })}
        />
        <Choice
          label={text.devices.seenLabel}
          value={filters.encryptionSeen}
          values={DEVICE_FILTERS.encryptionSeen}
          words={text.devices.seenWithin}
          onChange={(encryptionSeen) => keep({ encryptionSeen })}
        />
        <Choice
          label={text.devices.onlyLabel}
          value={only}
          values={DEVICE_FILTERS.only}
          words={text.devices.only}
          onChange={(chosen) => keep({ only: chosen })}
        />
        <DownloadCsv path="/v1/devices.csv" filters={wanted} />
      </Filters>
      <Endless query={query} none={text.devices.none}>
        {(devices) => <DeviceRows devices={devices} modelNames={modelNames} />}
      </Endless>
    </Page>
  );
}
