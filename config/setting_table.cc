#include "config/setting_table.h"

#include <algorithm>
#include <array>

namespace rfm {

namespace {

constexpr auto kSemantic = SettingScope::kSemantic;
constexpr auto kInstance = SettingScope::kInstance;
using enum SettingKind;

// Key, kind, scope, default, min, max, choices, description.
constexpr auto kTable = std::to_array<SettingSpec>({
    {"app.name", kName, kInstance, "rfmstream", "", "", "",
     "Name of the application: consumer group, ids and names of its own topics derive from it."},
    {"app.instance", kName, kInstance, "0", "", "", "",
     "Name of the process that runs the application, in its group and transactions. It stays the "
     "same over restarts. Only one process can run an application for now: run.lanes makes it "
     "faster."},

    {"kafka.brokers", kText, kInstance, "localhost:9092", "", "", "",
     "Brokers to start from, host:port, comma-separated."},
    {"kafka.session_timeout", kDuration, kInstance, "10s", "1s", "30m", "",
     "How long a silent instance keeps its partitions."},
    {"kafka.transaction_timeout", kDuration, kInstance, "10s", "1s", "15m", "",
     "How long an unfinished transaction of a dead instance holds back readers."},

    {"input.topic", kName, kInstance, "invoices", "", "", "", "Topic of the events."},
    {"input.format", kChoice, kSemantic, "lines", "", "", "lines|invoices|csv",
     "lines: one JSON object per invoice line with the UCI Online Retail fields; invoices: one "
     "JSON object per invoice or credit; csv: rows with a header, of lines or of whole orders "
     "(files only)."},
    {"input.preset", kChoice, kSemantic, "none", "", "", "none|shopify|woocommerce|segment",
     "Whose records they are: fills the settings of [input] and [input.fields] that are not set "
     "otherwise. `rfmstream config show` prints what it says."},
    {"input.key", kChoice, kSemantic, "customer", "", "", "customer|any",
     "customer: the Kafka key is the customer's id, and a null value erases that customer; any: "
     "the key says nothing and a null value is ignored, which needs an input of one partition."},
    {"input.types", kTypeRules, kSemantic, "", "", "", "",
     "What a record is, as invoice, credit, void (a cancelled order) or ignore: rules such as "
     "\"ignore if /test, void if /status = cancelled | failed, invoice\", of which the first that "
     "fits holds. Empty: the field type says it. Only for input.format = \"invoices\"."},
    {"input.anonymous", kIds, kSemantic, "", "", "", "",
     "Customer ids that mean nobody, such as \"0, guest\": the sale is counted, no more."},
    {"input.epoch", kChoice, kSemantic, "none", "", "",
     "none|seconds|milliseconds|microseconds|nanoseconds",
     "What a number counts that stands for a time, since 1970-01-01 UTC. none: times are text."},
    {"input.currency", kCurrency, kSemantic, "GBP", "", "", "",
     "The currency of the application. Events in another currency are dead-lettered."},
    {"input.utc_offset", kUtcOffset, kSemantic, "+00:00", "", "", "",
     "Offset of times that come without a zone."},
    {"input.lateness", kDuration, kSemantic, "1m", "0s", "1d", "",
     "How far the watermark stays behind the newest event, so that events may come out of order. "
     "At most an epoch: what is trained in one takes effect in the next."},
    {"input.settle", kDuration, kSemantic, "1m", "0s", "1d", "",
     "An open invoice of the line format is complete when the watermark is this far past its last "
     "line. 0s: each line takes effect by itself, at once."},
    {"input.future_max", kDuration, kSemantic, "1h", "0s", "365d", "",
     "Events this much newer than their Kafka record are dead-lettered: they must not move a "
     "clock."},
    {"input.partitioner", kChoice, kSemantic, "any", "", "", "any|murmur2|crc32",
     "Records on another partition than this partitioner chooses are dead-lettered; any: not "
     "checked."},
    {"input.record_max", kBytes, kSemantic, "1MiB", "1KiB", "64MiB", "",
     "Larger records are dead-lettered."},
    {"input.dead_letters_action", kChoice, kInstance, "pause", "", "", "pause|stop|continue",
     "When the first 100 records are all dead letters (nothing is committed then), and later when "
     "more than dead_letters_share of the last 1,000 are. pause: reads no further, stays alive and "
     "says why; stop: ends with the reason; continue: reads on."},
    {"input.dead_letters_share", kReal, kInstance, "0.5", "0", "1", "",
     "Share of dead letters among the last 1,000 records that is still taken; 1: any. A replay "
     "minds the first 100 records only."},

    {"input.separator", kChoice, kSemantic, "auto", "", "", "auto|comma|semicolon|tab|pipe",
     "CSV: what stands between columns; auto: what splits the header into most known columns."},
    {"input.encoding", kChoice, kSemantic, "utf-8", "", "", "utf-8|cp1252|latin-1",
     "CSV: encoding of the file. Rows that are not in it are dead-lettered."},
    {"input.decimal", kChoice, kSemantic, "point", "", "", "point|comma",
     "CSV: decimal mark of numbers."},
    {"input.thousands", kChoice, kSemantic, "none", "", "", "none|comma|point|space|apostrophe",
     "CSV: mark between thousands, which numbers may have; another than input.decimal."},
    {"input.date_order", kChoice, kSemantic, "auto", "", "", "auto|mdy|dmy|ymd",
     "CSV: order of dates such as 12/1/2010, 01.12.10 or 10-12-01, whose years of two digits are "
     "20yy. auto: month first (mdy), and the first date that cannot be, or has dots, stops the "
     "reading. Dates that begin with a year of four digits need no order."},

    {"input.columns.invoice_no", kColumn, kSemantic, "", "", "", "",
     "Number of the invoice or order; known: InvoiceNo, Invoice. A leading C or c marks a "
     "cancellation where rows are lines."},
    {"input.columns.customer_id", kColumn, kSemantic, "", "", "", "",
     "Customer; known: CustomerID."},
    {"input.columns.invoice_time", kColumn, kSemantic, "", "", "", "",
     "Time or date; known: InvoiceDate, invoice_time."},
    {"input.columns.quantity", kColumn, kSemantic, "", "", "", "",
     "Quantity of a line; known: Quantity."},
    {"input.columns.unit_price", kColumn, kSemantic, "", "", "", "",
     "Price of one unit; known: UnitPrice, Price."},
    {"input.columns.total", kColumn, kSemantic, "", "", "", "",
     "Total of an order, where a row is one; known: total, unless quantity and unit price are "
     "there. Below zero it is a credit, where there is no type."},
    {"input.columns.country", kColumn, kSemantic, "", "", "", "",
     "Country, if any; known: Country."},
    {"input.columns.currency", kColumn, kSemantic, "", "", "", "",
     "Currency code, if any; known: currency. Without it all is in input.currency."},
    {"input.columns.type", kColumn, kSemantic, "", "", "", "",
     "\"invoice\" or \"credit\", where a row is an order, if any; known: type."},
    {"input.columns.original_invoice_no", kColumn, kSemantic, "", "", "", "",
     "Number of the invoice a credit is for, if any; known: original_invoice_no."},
    {"input.columns.event_id", kColumn, kSemantic, "", "", "", "",
     "Id of the row, if any; known: event_id."},
    {"input.columns.revision", kColumn, kSemantic, "", "", "", "",
     "Revision of the order, if any; known: revision."},
    {"input.columns.consent", kColumn, kSemantic, "", "", "", "",
     "Whether the customer agreed to marketing (true or false), if any; known: consent."},
    {"input.columns.stock_code", kColumn, kSemantic, "", "", "", "",
     "Product, if any; known: StockCode."},
    {"input.columns.description", kColumn, kSemantic, "", "", "", "",
     "Its name, if any; known: Description."},

    {"input.fields.event_id", kPointer, kSemantic, "", "", "", "", "Id of the event."},
    {"input.fields.type", kPointer, kSemantic, "", "", "", "", "\"invoice\" or \"credit\"."},
    {"input.fields.invoice_no", kPointer, kSemantic, "", "", "", "",
     "Number of the invoice or credit."},
    {"input.fields.credit_no", kPointer, kSemantic, "", "", "", "",
     "Number of a credit, if it is elsewhere than an invoice's."},
    {"input.fields.original_invoice_no", kPointer, kSemantic, "", "", "", "",
     "Number of the invoice a credit is for."},
    {"input.fields.customer_id", kPointer, kSemantic, "", "", "", "", "Customer."},
    {"input.fields.invoice_time", kPointer, kSemantic, "", "", "", "",
     "Time of the invoice, RFC 3339 or as input.epoch says."},
    {"input.fields.currency", kPointer, kSemantic, "", "", "", "", "Currency code."},
    {"input.fields.country", kPointer, kSemantic, "", "", "", "", "Country."},
    {"input.fields.total", kPointer, kSemantic, "", "", "", "", "Total of the invoice."},
    {"input.fields.refunded", kPointer, kSemantic, "", "", "", "",
     "Amounts that are taken off the total, whatever their sign. * in a pointer is every element "
     "of an array, as in \"/refunds/*/total\". An order of which nothing is left is void."},
    {"input.fields.net_total", kPointer, kSemantic, "", "", "", "",
     "What is left of the total after refunds, if it is there: then it holds."},
    {"input.fields.lines", kPointer, kSemantic, "", "", "", "", "Array of the invoice's lines."},
    {"input.fields.stock_code", kPointer, kSemantic, "", "", "", "", "Product, within a line."},
    {"input.fields.description", kPointer, kSemantic, "", "", "", "",
     "Name of the product, within a line."},
    {"input.fields.quantity", kPointer, kSemantic, "", "", "", "", "Quantity, within a line."},
    {"input.fields.unit_price", kPointer, kSemantic, "", "", "", "",
     "Price of one unit, within a line."},
    {"input.fields.revision", kPointer, kSemantic, "", "", "", "",
     "Revision of the invoice, a whole number or a time; the highest wins."},
    {"input.fields.consent", kPointer, kSemantic, "", "", "", "",
     "Whether the customer agreed to marketing."},

    {"rfm.monetary", kChoice, kSemantic, "net", "", "", "net|gross",
     "net: credits lower the monetary value; gross: they are ignored."},
    {"rfm.window", kWindow, kSemantic, "lifetime", "1d", "3650d", "",
     "The history that counts: all of it (lifetime), or the last so many days, at most "
     "dedup.horizon."},

    {"ledger.entries_max", kInteger, kSemantic, "1024", "1", "32768", "",
     "Invoices kept apart per customer; of those beyond, what is older than fold_age and has left "
     "a finite rfm.window folds into one entry."},
    {"ledger.fold_age", kDuration, kSemantic, "30d", "0s", "3650d", "",
     "Invoices that are newer than this before the customer's last event are not folded."},
    {"ledger.hard_max", kInteger, kSemantic, "32768", "1", "32768", "",
     "Invoices that are kept apart at most; further ones are dead-lettered (ledger_full)."},
    {"dedup.horizon", kDuration, kSemantic, "400d", "1d", "3650d", "",
     "Events older than this behind the watermark are dead-lettered, because they cannot be proved "
     "new."},

    {"sales.enabled", kToggle, kSemantic, "true", "", "", "",
     "Sales are added up by day and country, hour of the week, and product, from the "
     "beginning of the input on (docs/formats.md, \"Books\"); takes about a sixth more CPU."},
    {"sales.undo", kDuration, kSemantic, "90d", "0s", "3650d", "",
     "The lines of invoices so far behind the watermark are kept, so that a revision takes back "
     "what it replaces of each product; of an older one only amount, day and country are taken "
     "back. 0s: of all."},
    {"sales.products_max", kInteger, kSemantic, "10000", "1", "1000000", "",
     "Products that a partition adds up apart; those that come first. The others are \"(other)\"."},
    {"sales.countries_max", kInteger, kSemantic, "300", "1", "10000", "", "The same of countries."},
    {"moves.enabled", kToggle, kSemantic, "true", "", "", "",
     "Customers and money of the segments are added up by day, like the moves between them, "
     "and each customer's moves are kept."},

    {"model.refit_weekday", kChoice, kSemantic, "monday", "", "",
     "monday|tuesday|wednesday|thursday|friday|saturday|sunday",
     "The day on which the clusters, the score cuts and the churn model are fitted anew."},
    {"model.training", kToggle, kSemantic, "true", "", "", "",
     "false: nothing is fitted, neither cuts nor clusters nor the churn model; for segmentations "
     "that need none of them, with fixed cuts or given centroids."},
    {"model.clusters", kInteger, kSemantic, "5", "2", "16", "", "Number of K-Means clusters."},
    {"model.cluster_history", kDuration, kSemantic, "49d", "0s", "365d", "",
     "Least time from the first day with population_on customers to the first fit of the "
     "clusters."},
    {"model.move_min", kReal, kSemantic, "0.02", "0", "1", "",
     "Centroids are published when one has moved more than this fraction of the distance to its "
     "nearest other."},
    {"model.challengers", kInteger, kSemantic, "5", "0", "100", "",
     "Fresh K-Means starts that compete with the current centroids at a refit."},
    {"model.challenger_gain", kReal, kSemantic, "0.005", "0", "1", "",
     "A challenger is taken if its inertia is lower by more than this fraction."},
    {"model.moved_max", kReal, kSemantic, "0.4", "0", "1", "",
     "A challenger that would move more than this share of the customers is held for `rfmstream "
     "model promote`, and the clusters in force go on from where they are. Not at the first eight "
     "refits; 1: never."},
    {"model.population_on", kInteger, kSemantic, "500", "1", "1000000000", "",
     "Customers needed for trained cuts, the first clusters and the first churn model."},
    {"model.population_off", kInteger, kSemantic, "400", "0", "1000000000", "",
     "Customers below which the fixed cuts are used again; at most population_on."},
    {"model.sample_max", kInteger, kSemantic, "65536", "1000", "1048576", "",
     "Customers in the weekly sample (daily until there are clusters); all of them while they are "
     "no more."},
    {"model.churn_weeks", kInteger, kSemantic, "26", "4", "28", "",
     "Weekly samples the churn model is fitted on."},
    {"model.churn_ridge", kReal, kSemantic, "10", "0", "1000000", "",
     "Weight of the ridge penalty of the churn model."},
    {"model.seed", kInteger, kSemantic, "0", "0", "9223372036854775807", "",
     "Seed of the challengers."},

    {"action.quiet", kDuration, kSemantic, "7d", "0s", "365d", "",
     "At most one transition of a customer within this time is actionable, unless the customer "
     "acts "
     "in between; 0s: any number."},
    {"action.precedence", kNames, kSemantic, "rfm, churn, cluster", "", "", "",
     "Which segmentation goes first when several change at one instant; those that are not named "
     "come behind, in order of name."},

    {"output.holdout", kReal, kSemantic, "0", "0", "1", "",
     "Fraction of the customers whose transitions are marked as not actionable, to measure "
     "campaigns against."},
    {"output.publish", kChoice, kSemantic, "all", "", "", "all|actionable",
     "Which transitions are published. With actionable, seq has gaps where one was not. The topic "
     "of current segments is complete with both."},
    {"output.transitions", kName, kInstance, "segment-transitions", "", "", "",
     "Topic of the transitions."},
    {"output.segments", kName, kInstance, "customer-segments", "", "", "",
     "Compacted topic of every customer's current segments."},

    {"commit.interval", kDuration, kInstance, "100ms", "1ms", "1m", "", "Time between commits."},
    {"commit.interval_behind", kDuration, kInstance, "500ms", "1ms", "1m", "",
     "The same while far behind; at least commit.interval."},
    {"commit.behind_records", kInteger, kInstance, "200000", "1", "1000000000", "",
     "Far behind: this many records or more are waiting."},
    {"commit.records_max", kInteger, kInstance, "1000000", "100000", "1000000000", "",
     "A commit after this many records at the latest."},
    {"commit.bytes_max", kBytes, kInstance, "256MiB", "1MiB", "4GiB", "",
     "A commit after this much output at the latest."},

    {"tick.idle", kDuration, kInstance, "1s", "10ms", "1h", "",
     "A partition without records for so long moves on by the clock."},
    {"run.lanes", kInteger, kInstance, "1", "1", "64", "", "Threads with partitions of their own."},
    {"state.dir", kText, kInstance, "rfmstream-state", "", "", "",
     "Directory of the state, one per instance."},
    {"log.level", kChoice, kInstance, "info", "", "", "trace|debug|info|warn|error",
     "What is logged to standard error."},
    {"log.format", kChoice, kInstance, "text", "", "", "text|json",
     "How `run` writes it. json: one object a line, with time, level, lane and partition where "
     "they "
     "are known, and message."},
    {"admin.listen", kListen, kInstance, "127.0.0.1:7367", "", "", "",
     "Where `run` and `serve` answer over HTTP: health, metrics, settings, customers and the page "
     "(docs/operations.md); port 0: the system chooses one, which the log says; empty: nowhere. "
     "Who can reach it can read all of that, so a reachable address belongs behind a firewall. A "
     "start that cannot listen there is refused."},
    {"admin.hosts", kIds, kInstance, "", "", "", "",
     "Host names, with commas between, under which admin.listen may be asked; addresses, localhost "
     "and this machine's own name always are. A page of another site that has its name resolve to "
     "this machine is refused by that (DNS rebinding)."},
    {"admin.token_file", kColumn, kInstance, "", "", "", "",
     "A file with the token, of 16 characters at least, that who changes the rules over HTTP sends "
     "as `Authorization: Bearer TOKEN` (docs/operations.md). Empty: nobody can."},
    {"admin.stuck_after", kDuration, kInstance, "2m", "1s", "1h", "",
     "/healthz says 503 when the loop of a lane has not turned for so long. A commit may wait for "
     "a "
     "broker for half a minute."},
});

constexpr auto kSegmentationTable = std::to_array<SettingSpec>({
    {"preset", kPreset, kSemantic, "", "", "", "",
     "What the other keys change: `rfmstream segments list` lists the presets, `segments show` "
     "prints one. Without it, the preset of the table's own name, if there is one."},
    {"enabled", kToggle, kSemantic, "true", "", "", "",
     "false: the segmentation is not there, though it is by default."},
    {"scorer", kChoice, kSemantic, "grid", "", "", "grid|cluster",
     "grid: scores on axes, and a map of them to segments; cluster: the nearest centroid."},
    {"axes", kAxes, kSemantic, "[]", "", "", "",
     "What is measured and how it is cut. quantity: recency, frequency, monetary, order_value, "
     "overdue, risk or value; method: fixed, quantile or breaks; bins: number of scores; cuts: "
     "fixed ones, or those for as long as there are too few customers; bounds: where a trained cut "
     "may lie; margin: by which share (of a risk: by how much) a value is past a cut before the "
     "score follows a change that is not the customer's. Of an axis that the preset has, what is "
     "left out stays."},
    {"map", kSegmentMap, kSemantic, "[]", "", "", "",
     "Which segment each combination of scores is: a preset's name, rows of names (the first row "
     "the highest score of the first axis), or entries with ranges of scores, by axis, fm = (f + "
     "m) "
     "/ 2 rounded up, or overall, the sum of the scores less one each. It must be total."},
    {"segments", kSegments, kSemantic, "[]", "", "", "",
     "Rank (going to a higher one is a move up), description, whether a fall into it is never put "
     "off (lost), and actions, of which the first that fits holds: on = up (or first), down or "
     "any, "
     "if = {churn = \"Low\"}, cooldown = \"30d\". What is left out is as in the presets."},
    {"hysteresis", kReal, kSemantic, "0.2", "0", "0.99", "",
     "A customer changes cluster when another centroid is nearer by a margin: its squared distance "
     "must be less by more than this fraction (0.2: some 11 % nearer)."},
    {"recency_min", kDuration, kSemantic, "0s", "0s", "3650d", "",
     "In distances to centroids recency counts as at least this."},
    {"centroids", kCentroids, kSemantic, "[]", "", "", "",
     "Fixed points instead of the model's: of each the segment of those who are nearest to it, r "
     "in days since the last purchase, f in invoices, m in money. Several may lead to one segment. "
     "[]: those of the model."},
    {"scale", kScale, kSemantic, "1, 1, 1", "", "", "",
     "With centroids: what one unit of distance is in log1p of r, f and m. For centroids that were "
     "fitted on standardised values these are the standard deviations of log1p of r, f and m."},
    {"recency_at", kInstant, kSemantic, "now", "", "", "",
     "With centroids: recency counts up to this day or time, the date of an analysis, so that "
     "silence moves nobody. now: up to the present."},
    {"guard", kToggle, kSemantic, "true", "", "", "",
     "Silence never moves a customer up, and a purchase never down."},
    {"stay", kDuration, kSemantic, "0s", "0s", "365d", "",
     "Least time in a segment before a move by time, cuts or model; what the customer does counts "
     "at once, and so do falls to lost segments."},
});

constexpr SettingSpec kWholeSegmentation = {"", kSegmentation,          kSemantic, "", "", "",
                                            "", "A whole segmentation."};

constexpr std::string_view kSegmentationPrefix = "segmentation.";

constexpr auto kPassthrough = std::to_array<std::string_view>({"kafka.properties."});

}  // namespace

std::span<const SettingSpec> setting_table() { return kTable; }
std::span<const SettingSpec> segmentation_table() { return kSegmentationTable; }

std::optional<SegmentationKey> split_segmentation_key(std::string_view key) {
  if (!key.starts_with(kSegmentationPrefix)) return std::nullopt;
  const std::string_view rest = key.substr(kSegmentationPrefix.size());
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return SegmentationKey{rest, {}};
  return SegmentationKey{rest.substr(0, dot), rest.substr(dot + 1)};
}

std::span<const std::string_view> passthrough_prefixes() { return kPassthrough; }

std::string_view section_title(std::string_view section) {
  if (section == "kafka") {
    return "Further properties of librdkafka go to [kafka.properties], for instance "
           "security.protocol = \"ssl\". Those that exactly-once delivery rests on are refused.";
  }
  if (section == "input.columns") {
    return "What the columns of a CSV are called, where the known names are not meant. Names are "
           "compared without case, spaces and punctuation; their order does not matter, and other "
           "columns are not read. Rows are lines of invoices (quantity and unit_price), or whole "
           "orders (total).";
  }
  if (section == "input.fields") {
    return "Where the fields are in the JSON of other producers (docs/inputs.md). Empty: the "
           "format's "
           "own names. Several pointers: the first place that holds something counts.";
  }
  if (section == "action") {
    return "Which of several transitions of a customer marketing acts on.";
  }
  return "";
}

const SettingSpec* find_setting(std::string_view key) {
  const auto find = [](std::span<const SettingSpec> table,
                       std::string_view wanted) -> const SettingSpec* {
    const auto found = std::ranges::find(table, wanted, &SettingSpec::key);
    return found == table.end() ? nullptr : &*found;
  };
  const std::optional<SegmentationKey> parts = split_segmentation_key(key);
  if (!parts) return find(kTable, key);
  return parts->key.empty() ? &kWholeSegmentation : find(kSegmentationTable, parts->key);
}

}  // namespace rfm
