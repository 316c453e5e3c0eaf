#include "sql/prelude.h"

namespace pinpipe::sql {

namespace {

constexpr std::string_view macros = R"sql(
-- Text. Spark replaces every match and writes groups as $1.
create macro regexp_replace(s, p, r) as system.main.regexp_replace(s, p,
  system.main.regexp_replace(r, '\$([0-9])', '\\\1', 'g'), 'g');
create macro regexp_like(s, p) as system.main.regexp_matches(s, p);
create macro regexp_extract
  (s, p) as system.main.regexp_extract(s, p, 1),
  (s, p, i) as system.main.regexp_extract(s, p, i);
-- Spark's concat is NULL when any part is.
create macro concat
  (a, b) as a || b,
  (a, b, c) as a || b || c,
  (a, b, c, d) as a || b || c || d,
  (a, b, c, d, e) as a || b || c || d || e,
  (a, b, c, d, e, f) as a || b || c || d || e || f,
  (a, b, c, d, e, f, g) as a || b || c || d || e || f || g,
  (a, b, c, d, e, f, g, h) as a || b || c || d || e || f || g || h;
create macro split
  (s, p) as string_split_regex(s, p),
  (s, p, n) as string_split_regex(s, p);
create macro locate(part, s) as instr(s, part);
create macro initcap(s) as list_aggregate(list_transform(string_split(lower(s), ' '),
  word -> upper(word[1]) || word[2:]), 'string_agg', ' ');
create macro get_json_object(s, path) as json_extract_string(s, path);

-- Nulls and arrays.
create macro nvl(a, b) as coalesce(a, b);
create macro nvl2(a, b, c) as case when a is not null then b else c end;
create macro size(l) as cast(len(l) as integer);
create macro element_at(l, i) as list_extract(l, i);
create macro explode(l) as unnest(l);
create macro collect_list(x) as list(x) filter (where x is not null);
create macro collect_set(x) as list(distinct x) filter (where x is not null);

-- Spark's approximate percentile is the lower of two middle values, never their mean.
create macro percentile_approx
  (x, p) as quantile_disc(x, p),
  (x, p, accuracy) as quantile_disc(x, p);
create macro approx_percentile
  (x, p) as quantile_disc(x, p),
  (x, p, accuracy) as quantile_disc(x, p);
create macro percentile(x, p) as quantile_cont(x, p);

-- Times. Every session is in UTC, so that a plain TIMESTAMP is Spark's instant.
create macro to_timestamp(s) as try_cast(s as timestamp);
create macro try_to_timestamp(s) as try_cast(s as timestamp);
create macro to_date(s) as try_cast(try_cast(s as timestamp) as date);
create macro unix_timestamp(t) as cast(epoch(cast(t as timestamp)) as bigint);
create macro from_unixtime(seconds) as
  strftime(make_timestamp(cast(seconds as bigint) * 1000000), '%Y-%m-%d %H:%M:%S');
-- Parts of an instant are those of its UTC time: the calendar of other zones takes thirty times
-- as long to say the same.
create macro year(t) as system.main.year(make_timestamp(epoch_us(t)));
create macro quarter(t) as system.main.quarter(make_timestamp(epoch_us(t)));
create macro month(t) as system.main.month(make_timestamp(epoch_us(t)));
create macro weekofyear(t) as system.main.weekofyear(make_timestamp(epoch_us(t)));
create macro day(t) as system.main.day(make_timestamp(epoch_us(t)));
create macro dayofmonth(t) as system.main.dayofmonth(make_timestamp(epoch_us(t)));
create macro dayofyear(t) as system.main.dayofyear(make_timestamp(epoch_us(t)));
create macro dayofweek(t) as system.main.dayofweek(make_timestamp(epoch_us(t))) + 1;
create macro hour(t) as system.main.hour(make_timestamp(epoch_us(t)));
create macro minute(t) as system.main.minute(make_timestamp(epoch_us(t)));
create macro second(t) as system.main.second(make_timestamp(epoch_us(t)));
create macro datediff
  (e, s) as system.main.date_diff('day', cast(s as date), cast(e as date)),
  (part, s, e) as system.main.date_diff(part, s, e);
create macro date_add(d, n) as cast(d as date) + cast(n as integer);
create macro date_sub
  (d, n) as cast(d as date) - cast(n as integer),
  (part, s, e) as system.main.date_sub(part, s, e);
)sql";

}  // namespace

std::string_view prelude() {
  return macros;
}

}  // namespace pinpipe::sql
