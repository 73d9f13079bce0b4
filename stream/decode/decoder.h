// Turns a record into the event it holds, or into the reason why it holds none. A bad record is
// data, so there is no error: every record has exactly one outcome. What the fields mean is said in
// config/schemas.
//
// Rules that the schemas cannot say:
// - A null value erases the customer named by the key. A record without customer is an
// AnonymousSale; its key is not
//   looked at.
// - Ids are UTF-8, 1 to 128 bytes, without NUL, otherwise opaque. In the line formats (kLines,
// kCsv) a customer or
//   invoice number that matches \d+\.0+ is its integer part, and the key must be that. JSON numbers
//   are taken as they are written, but only plain integers (in line formats also with .0).
// - Line formats: an invoice number with a leading C or c is a credit; A and digits without
// customer an Adjustment, with or without customer. A CSV whose rows are whole orders has invoices,
// and credits where a type says so or, without one, the total is below zero.
// - CSV: spaces around a column are no part of it.
// - Money and quantities are decimal text (stream/text/decimal.h), as JSON number or string; a
// number may have an exponent.
// `total` wins over `lines`, which
//   then are not looked at. An invoice's negative sum is kNegativeInvoice, a credit's is not.
// - JSON: unknown fields are ignored, and of their content only UTF-8, quotes and brackets are
// checked. A field that
//   is used and appears twice in one object is kMalformed, as is anything after the object.
// - Fields are judged in a fixed order, so the reason does not depend on the order in the record:
// form of the record,
//   then each field on its own (missing, invalid, currency), then amounts, then the key.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "stream/decode/decoder_options.h"
#include "stream/decode/event.h"
#include "stream/decode/record_fields.h"
#include "stream/record/record.h"

namespace rfm {

// One decoder belongs to one thread.
class Decoder {
 public:
  // The options must be valid (`check`).
  explicit Decoder(DecoderOptions options);
  Decoder(Decoder&& other) noexcept;
  Decoder& operator=(Decoder&& other) noexcept;
  ~Decoder();

  // InvalidArgument naming a pointer that is none, or that hides another one.
  static absl::Status check(const DecoderOptions& options);

  // FailedPrecondition: with so many partitions, keys that say nothing would spread a customer.
  static absl::Status check_partitions(const DecoderOptions& options, int partition_count);

  // Views in the event live until the next call and not longer than the record.
  DecodedEvent decode(const RecordView& record);

  // The columns of the last record, format csv only; they live as long as its event.
  const RecordFields& csv_fields() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rfm
