# One image per worker: `docker build --build-arg BIN=attestry-signer .`
# The build stage does not know BIN, so all images share it.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bins

FROM debian:bookworm-slim
ARG BIN
COPY --from=build /src/target/release/${BIN} /usr/local/bin/attestry-worker
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/attestry-worker"]
