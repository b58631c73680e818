//! Log lines on stderr, and traces over OTLP when an endpoint is set.

use std::io::IsTerminal;

use opentelemetry::{
    global,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::args::LogFormat;

const TRACEPARENT: &str = "traceparent";

/// Logging and tracing of this process, flushed when dropped.
pub struct Telemetry {
    tracer: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts logging, and tracing if there is an endpoint. Call once, first.
    pub fn start(
        service: &'static str,
        filter: &str,
        format: LogFormat,
        endpoint: Option<&str>,
    ) -> Result<Self, String> {
        let filter = EnvFilter::try_new(filter).map_err(|error| format!("--log: {error}"))?;
        let tracer = endpoint.map(|endpoint| exporter(service, endpoint)).transpose()?;
        let layer =
            tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours());
        let layer = match format {
            LogFormat::Text => layer.boxed(),
            LogFormat::Json => layer.json().boxed(),
        };
        let traces = tracer
            .as_ref()
            .map(|it| tracing_opentelemetry::layer().with_tracer(it.tracer(service)));
        tracing_subscriber::registry()
            .with(traces)
            .with(layer.with_filter(filter))
            .try_init()
            .map_err(|error| error.to_string())?;
        Ok(Self { tracer })
    }
}

/// Colours are for people: on a terminal, unless they said no (no-color.org).
fn colours() -> bool {
    #[allow(clippy::disallowed_methods, reason = "its presence is the setting, not its value")]
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !refused
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(tracer) = &self.tracer
            && let Err(error) = tracer.shutdown()
        {
            tracing::warn!(%error, "Failed to send the last traces");
        }
    }
}

fn exporter(service: &'static str, endpoint: &str) -> Result<SdkTracerProvider, String> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| format!("--otlp-endpoint {endpoint}: {error}"))?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(service).build())
        .build();
    global::set_tracer_provider(provider.clone());
    Ok(provider)
}

/// Makes `span` part of the trace that an event came with.
pub(crate) fn continue_trace(span: &Span, traceparent: Option<&str>) {
    let Some(traceparent) = traceparent else { return };
    let context = TraceContextPropagator::new().extract(&Header(traceparent));
    // Without an exporter there is no trace to continue.
    drop(span.set_parent(context));
}

/// The trace context for events that follow in `span`: its own, or without tracing the one that the
/// event came with, so that a worker without an endpoint does not break the trace.
pub(crate) fn next_traceparent(span: &Span, received: Option<&str>) -> Option<String> {
    let context = span.context();
    if !context.span().span_context().is_valid() {
        return received.map(str::to_owned);
    }
    let mut header = OwnedHeader::default();
    TraceContextPropagator::new().inject_context(&context, &mut header);
    header.0.or_else(|| received.map(str::to_owned))
}

struct Header<'a>(&'a str);

impl Extractor for Header<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

#[derive(Default)]
struct OwnedHeader(Option<String>);

impl Injector for OwnedHeader {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACEPARENT {
            self.0 = Some(value);
        }
    }
}
