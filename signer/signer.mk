# Rules for GNU make (3.81 or later) that sign drivers with drvsign. In a makefile (drvsign init writes one):
#
#     DRIVER := driver
#     include $(or $(shell drvsign --makefile),$(error drvsign was not found: install it, and add its folder to PATH))
#
# docs/make.md describes targets and variables. Nothing is signed in place: results are in $(SIGNED), and are rebuilt
# only if a source file changed or a result is missing.

DRVSIGN ?= drvsign
# The folder of the package: an INF and the files that it names.
DRIVER ?= .
# The folder for results. It must not be in the folder of the package, whose subfolders belong to the package.
SIGNED ?= $(if $(filter . ./,$(DRIVER)),../$(notdir $(CURDIR))-signed,build/signed)
# drvsign.toml in the driver's or the current folder; without it, test-sign uses only the options below.
DRVSIGN_CONFIG ?= $(firstword $(wildcard $(DRIVER)/drvsign.toml drvsign.toml))

# Values for templates (.inx), which become INFs in $(SIGNED): --driver-version, --arch, --kmdf and so on.
STAMP_FLAGS ?=

# The catalogs, INFs and other files of the package, relative to $(DRIVER), as the INF names them.
drvsign_infs := $(wildcard $(DRIVER)/*.[iI][nN][fF] $(DRIVER)/*.[iI][nN][xX])
drvsign_names := $(if $(drvsign_infs),$(shell $(DRVSIGN) inf files $(DRIVER) $(STAMP_FLAGS)))
drvsign_catalogs := $(filter %.cat %.CAT %.Cat,$(drvsign_names))

# The catalog, from the INF's CatalogFile.
CATALOG ?= $(firstword $(drvsign_catalogs) $(patsubst %.inf,%.cat,$(notdir $(drvsign_infs))) driver.cat)
# A file of the package, or the template of an INF that does not exist.
drvsign_source = $(or $(wildcard $(1)),$(if $(filter %.inf,$(1)),$(wildcard $(1:.inf=.inx) $(1:.inf=.INX))),$(1))
# The prerequisites: the files that the INF names, whether or not they exist yet.
DRIVER_FILES ?= $(foreach name,$(filter-out $(drvsign_catalogs),$(drvsign_names)),$(call drvsign_source,$(DRIVER)/$(name)))

drvsign_profile = $(if $(DRVSIGN_CONFIG),--config $(DRVSIGN_CONFIG) --profile $(1))

# Options of drvsign sign, package and submission build, such as --identity and --os.
SIGN_FLAGS ?= $(call drvsign_profile,test)
TEST_FLAGS ?= $(call drvsign_profile,test)
RELEASE_FLAGS ?= --config $(or $(DRVSIGN_CONFIG),drvsign.toml) --profile release
SUBMISSION_FLAGS ?=
# Options of drvsign verify.
VERIFY_FLAGS ?= --test-machine

drvsign_test := $(SIGNED)/test/$(CATALOG)
drvsign_release := $(SIGNED)/release/$(CATALOG)
drvsign_cabinet := $(SIGNED)/$(basename $(notdir $(CATALOG))).cab

# Forces a rule if one of these results was deleted.
drvsign_missing = $(if $(filter-out $(wildcard $(1)),$(1)),drvsign-missing)

.PHONY: all test-sign release verify submission drvsign-missing

all: test-sign
# Plain `make` signs, also if the first rule of the makefile builds a file, such as the driver.
ifneq (,$(findstring .,$(.DEFAULT_GOAL))$(findstring /,$(.DEFAULT_GOAL)))
.DEFAULT_GOAL := all
endif

test-sign: $(drvsign_test)
release: $(drvsign_release)
submission: $(drvsign_cabinet)

verify: $(drvsign_test)
	$(DRVSIGN) verify $(SIGNED)/test $(VERIFY_FLAGS)

$(drvsign_test): $(DRIVER_FILES) $(DRVSIGN_CONFIG) $(call drvsign_missing,$(addprefix $(SIGNED)/test/,$(drvsign_names)))
	$(DRVSIGN) package $(DRIVER) $(TEST_FLAGS) $(STAMP_FLAGS) --output-dir $(SIGNED)/test --depfile $(SIGNED)/test.d

$(drvsign_release): $(DRIVER_FILES) $(DRVSIGN_CONFIG) \
		$(call drvsign_missing,$(addprefix $(SIGNED)/release/,$(drvsign_names)))
	$(DRVSIGN) package $(DRIVER) $(RELEASE_FLAGS) $(STAMP_FLAGS) --output-dir $(SIGNED)/release --depfile $(SIGNED)/release.d

$(drvsign_cabinet): $(DRIVER_FILES) $(call drvsign_missing,$(drvsign_cabinet:.cab=.ddf))
	@mkdir -p $(@D)
	$(DRVSIGN) submission build $(DRIVER) --output $@ $(SUBMISSION_FLAGS) --depfile $(SIGNED)/cabinet.d

# A signed copy of an image, and the catalog of an INF. Their depfiles (.d) are in the same folder; without one, a catalog
# that another signer signed is not replaced.
%.signed.sys: %.sys
	$(DRVSIGN) sign $< --output $@ $(SIGN_FLAGS) --depfile $@.d

%.cat: %.inf
	$(DRVSIGN) catalog build $< $(if $(wildcard $@.d),--replace) --output $@ --depfile $@.d
	$(DRVSIGN) sign $@ $(SIGN_FLAGS)

# The catalog lists the drivers: with make -j, it waits for the rules that build them.
$(patsubst %.inf,%.cat,$(filter %.inf,$(DRIVER_FILES))): $(DRIVER_FILES)

.DELETE_ON_ERROR:

-include $(wildcard $(SIGNED)/*.d $(DRIVER)/*.signed.sys.d $(DRIVER)/*.cat.d)
