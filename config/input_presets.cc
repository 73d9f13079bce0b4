#include "config/input_presets.h"

#include <array>
#include <span>
#include <string_view>

namespace rfm {
namespace {

struct PresetValue {
  std::string_view key;
  std::string_view text;
};

// The orders of webhooks (orders/create, updated, cancelled, ...) and of the REST Admin API. An
// order is sent anew at each change, so its refunds are in it: what refunds/create says is known
// already.
constexpr std::array<PresetValue, 12> kShopify = {{
    {"input.format", "invoices"},
    {"input.types",
     "ignore if /test, ignore if /refund_line_items, void if /cancelled_at, void if "
     "/financial_status = refunded | voided, invoice"},
    {"input.fields.event_id", "/id"},
    {"input.fields.invoice_no", "/id"},
    {"input.fields.customer_id", "/customer/id"},
    {"input.fields.invoice_time", "/processed_at, /created_at"},
    {"input.fields.currency", "/currency"},
    {"input.fields.country",
     "/customer/default_address/country, /billing_address/country, /shipping_address/country"},
    {"input.fields.net_total", "/current_total_price"},
    {"input.fields.total", "/total_price"},
    {"input.fields.refunded", "/refunds/*/transactions/*/amount"},
    {"input.fields.revision", "/updated_at"},
}};

// The orders of webhooks (order.created, order.updated, ...) and of the REST API v3. Guests are
// customer 0. Times are in UTC, without saying so.
constexpr std::array<PresetValue, 13> kWooCommerce = {{
    {"input.format", "invoices"},
    {"input.utc_offset", "+00:00"},
    {"input.types",
     "void if /status = cancelled | refunded | failed | pending | trash | auto-draft | "
     "checkout-draft, invoice"},
    {"input.anonymous", "0"},
    {"input.fields.event_id", "/id"},
    {"input.fields.invoice_no", "/id"},
    {"input.fields.customer_id", "/customer_id"},
    {"input.fields.invoice_time", "/date_created_gmt"},
    {"input.fields.currency", "/currency"},
    {"input.fields.country", "/billing/country, /shipping/country"},
    {"input.fields.total", "/total"},
    {"input.fields.refunded", "/refunds/*/total"},
    {"input.fields.revision", "/date_modified_gmt"},
}};

// Track calls of the ecommerce events, spec v2 and the names of v1. A refund bears the order's id,
// so it is numbered by its message; one without an amount is of the whole order.
constexpr std::array<PresetValue, 14> kSegment = {{
    {"input.format", "invoices"},
    {"input.types",
     "invoice if /event = Order Completed | Order Updated | Completed Order | Updated Order, "
     "credit if /event = Order Refunded | Refunded Order, "
     "void if /event = Order Cancelled | Cancelled Order, ignore"},
    {"input.fields.event_id", "/messageId"},
    {"input.fields.invoice_no", "/properties/order_id"},
    {"input.fields.credit_no", "/messageId"},
    {"input.fields.original_invoice_no", "/properties/order_id"},
    {"input.fields.customer_id", "/userId"},
    {"input.fields.invoice_time", "/timestamp, /originalTimestamp"},
    {"input.fields.currency", "/properties/currency"},
    {"input.fields.country", "/context/traits/address/country, /context/location/country"},
    {"input.fields.total", "/properties/revenue, /properties/total"},
    {"input.fields.lines", "/properties/products"},
    {"input.fields.quantity", "/quantity, =1"},
    {"input.fields.unit_price", "/price"},
}};

std::span<const PresetValue> preset(std::string_view name) {
  if (name == "shopify") return kShopify;
  if (name == "woocommerce") return kWooCommerce;
  if (name == "segment") return kSegment;
  return {};
}

}  // namespace

absl::Status apply_preset(Settings& settings) {
  for (const PresetValue& value : preset(settings.text("input.preset"))) {
    absl::Status status =
        settings.assign_unset(value.key, value.text, SettingOrigin::kPreset, "input.preset");
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rfm
