import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { sparesQuery } from '../../api/device-queries.js';
import type { Shelf } from '../../api/types.js';
import { Choice } from '../../parts/choice.js';
import { ChooseSite } from '../../parts/choose-site.js';
import { Filters } from '../../parts/filters.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { MODEL_FILTERS } from '../../search-params.js';
import { text } from '../../text/text.js';

const route = getRouteApi('/models');

/** What can be given, by model and site, and where that is too little. */
export function Shelves(): ReactNode {
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const { only, siteId } = filters;
  const query = useQuery(sparesQuery({ ...(siteId && { siteId }), ...(only && { short: 'true' }) }));
  const keep = (kept: typeof filters): void =>
    void navigate({ search: (before) => ({ ...before, ...kept }), replace: true });
  return (
    <Section title={text.models.spares}>
      <Filters>
        <Choice
          label={text.models.onlyLabel}
          value={only}
          values={MODEL_FILTERS.only}
          words={text.models.only}
          onChange={(chosen) => keep({ only: chosen })}
        />
        <ChooseSite
          label={text.devices.site}
          value={siteId ?? null}
          none={text.all}
          onChange={(chosen) => keep({ siteId: chosen ?? undefined })}
        />
      </Filters>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{only ? text.models.nothingShort : text.models.noShelves}</Empty>
          ) : (
            <Table
              rows={items.map((shelf) => ({ ...shelf, id: `${shelf.modelId} ${shelf.siteId ?? ''}` }))}
              columns={[
                { name: text.devices.model, cell: ({ modelName }) => modelName },
                { name: text.devices.site, cell: ({ siteName }) => siteName ?? text.models.noSite },
                { name: text.models.ready, cell: (shelf) => <Ready shelf={shelf} /> },
                { name: text.models.minimum, cell: ({ minimum }) => (minimum === 0 ? text.models.notSaid : minimum) },
                { name: text.models.short, cell: (shelf) => <Short shelf={shelf} /> },
                { name: text.models.inStock, cell: ({ inStock }) => inStock },
                { name: text.models.cannot, cell: (shelf) => text.models.whyNot(shelf.faulty, shelf.imageOutdated) },
              ]}
            />
          )
        }
      </Loaded>
    </Section>
  );
}

function Ready({ shelf: { ready, modelId, siteId } }: { shelf: Shelf }): ReactNode {
  if (ready === 0) return 0;
  return (
    <Link to="/devices" search={{ only: 'spare', modelId, ...(siteId !== null && { siteId }) }}>
      {ready}
    </Link>
  );
}

function Short({ shelf: { short, minimum } }: { shelf: Shelf }): ReactNode {
  if (short > 0) return <Mark shape="▲" tone="bad" word={text.models.missing(short)} />;
  return minimum === 0 ? '' : <Mark shape="●" tone="good" word={text.models.enough} />;
}
