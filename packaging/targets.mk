# What people type. The rules that compile are in the Makefile.

.PHONY: all help

all: $(OUT)/ship ## build build/ship
	@ln -sf $(FLAVOUR)/ship $(BUILD)/ship

help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile packaging/targets.mk | sed 's/:.*##/\t/' | expand -t 14

$(BUILD)/.deps-build: packaging/install-deps
	@mkdir -p $(BUILD)
	@packaging/install-deps build
	@touch $@
