# Rules for GNU make (3.81 or later) that sign drivers with drvsign. In a makefile:
#
#     DRIVER := driver
#     include $(shell drvsign --makefile)
#
# docs/make.md describes targets and variables. Nothing is signed in place: results are in $(SIGNED), and are rebuilt
# only if a source file changed.

DRVSIGN ?= drvsign
# The folder of the package: an INF and the files that it names.
DRIVER ?= .
# The folder for results.
SIGNED ?= build/signed
# The file name of the catalog, as in the INF's CatalogFile. Default: the name of the INF.
CATALOG ?= $(notdir $(patsubst %.inf,%.cat,$(firstword $(wildcard $(DRIVER)/*.inf) $(DRIVER)/driver.inf)))
# The prerequisites of the first build; add files that other rules of the makefile build.
DRIVER_FILES ?= $(filter-out %.signed.sys,$(wildcard $(DRIVER)/*.inf $(DRIVER)/*.sys $(DRIVER)/*.dll $(DRIVER)/*.exe))
# drvsign.toml in the driver's or the current folder; without it, test-sign uses only the options below.
DRVSIGN_CONFIG ?= $(firstword $(wildcard $(DRIVER)/drvsign.toml drvsign.toml))

drvsign_profile = $(if $(DRVSIGN_CONFIG),--config $(DRVSIGN_CONFIG) --profile $(1))

# Options of drvsign sign, package and submission build, such as --identity and --os.
SIGN_FLAGS ?= $(call drvsign_profile,test)
TEST_FLAGS ?= $(call drvsign_profile,test)
RELEASE_FLAGS ?= --config $(or $(DRVSIGN_CONFIG),drvsign.toml) --profile release
SUBMISSION_FLAGS ?=
# Options of drvsign verify.
VERIFY_FLAGS ?= --policy kernel --roots test-signing --testsigning

drvsign_test := $(SIGNED)/test/$(CATALOG)
drvsign_release := $(SIGNED)/release/$(CATALOG)
drvsign_cabinet := $(SIGNED)/$(basename $(CATALOG)).cab

.PHONY: test-sign release verify submission

test-sign: $(drvsign_test)
release: $(drvsign_release)
submission: $(drvsign_cabinet)

verify: $(drvsign_test)
	$(DRVSIGN) verify $(SIGNED)/test $(VERIFY_FLAGS)

$(drvsign_test): $(DRIVER_FILES) $(DRVSIGN_CONFIG)
	$(DRVSIGN) package $(DRIVER) $(TEST_FLAGS) --output-dir $(@D) --depfile $(SIGNED)/test.d

$(drvsign_release): $(DRIVER_FILES) $(DRVSIGN_CONFIG)
	$(DRVSIGN) package $(DRIVER) $(RELEASE_FLAGS) --output-dir $(@D) --depfile $(SIGNED)/release.d

$(drvsign_cabinet): $(DRIVER_FILES)
	@mkdir -p $(@D)
	$(DRVSIGN) submission build $(DRIVER) --output $@ $(SUBMISSION_FLAGS) --depfile $(SIGNED)/cabinet.d

# A signed copy of an image, and the catalog of an INF. Their depfiles (.d) are in the same folder.
%.signed.sys: %.sys
	$(DRVSIGN) sign $< --output $@ $(SIGN_FLAGS) --depfile $@.d

%.cat: %.inf
	$(DRVSIGN) catalog build $< --replace --output $@ --depfile $@.d
	$(DRVSIGN) sign $@ $(SIGN_FLAGS)

.DELETE_ON_ERROR:

-include $(wildcard $(SIGNED)/*.d $(DRIVER)/*.signed.sys.d $(DRIVER)/*.cat.d)
