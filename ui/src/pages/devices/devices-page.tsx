import type { ReactNode } from 'react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { endlessDevices, modelsQuery } from '../../api/queries.js';
import { Choice } from '../../parts/choice.js';
import { Endless } from '../../parts/endless.js';
import { Filters, TypedFilter } from '../../parts/filters.js';
import { PersonLink } from '../../parts/person-link.js';
import { Page } from '../../parts/section.js';
import { Table } from '../../parts/table.js';
import { DEVICE_FILTERS } from '../../search-params.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

const route = getRouteApi('/devices');

export function DevicesPage(): ReactNode {
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(endlessDevices(filters));
  const { data: models } = useQuery(modelsQuery);
  const modelName = (id: string): string => models?.items.find((model) => model.id === id)?.name ?? '';
  return (
    <Page title={text.nav.devices}>
      <Filters>
        <TypedFilter
          label={text.devices.search}
          value={filters.search}
          onChange={(search) => void navigate({ search: (before) => ({ ...before, search }), replace: true })}
        />
        <Choice
          label={text.devices.stateLabel}
          value={filters.state}
          values={DEVICE_FILTERS.state}
          words={text.devices.state}
          onChange={(state) => void navigate({ search: (before) => ({ ...before, state }), replace: true })}
        />
      </Filters>
      <Endless query={query} none={text.devices.none}>
        {(devices) => (
          <Table
            rows={devices}
            columns={[
              {
                name: text.devices.assetTag,
                cell: ({ id, assetTag }) => (
                  <Link to="/devices/$deviceId" params={{ deviceId: id }}>
                    {assetTag}
                  </Link>
                ),
              },
              { name: text.devices.model, cell: ({ modelId }) => modelName(modelId) },
              {
                name: text.devices.holder,
                cell: ({ holderId }) =>
                  holderId === null ? <span className="dim">{text.devices.nobody}</span> : <PersonLink id={holderId} />,
              },
              { name: text.devices.stateLabel, cell: ({ state }) => text.devices.state[state] },
              { name: text.devices.since, cell: ({ stateChangedAt }) => <Instant at={stateChangedAt} /> },
            ]}
          />
        )}
      </Endless>
    </Page>
  );
}
